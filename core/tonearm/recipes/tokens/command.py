"""``tonearm layouts``: the columns of the table of layouts."""
