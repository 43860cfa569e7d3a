from tonearm.run.part import mark_of


def test_temporaries_of_shards_differ():
    marks = [mark_of((part, parts)) for parts in (1, 2, 3, 64, 65, 300) for part in range(1, parts + 1)]
    assert len(set(marks)) == len(marks)
    assert mark_of(None) not in marks
    assert all(len(mark) == 4 for mark in marks)
    huge = [mark_of((part, 5000)) for part in range(1, 5001)]
    assert len(set(huge)) == 5000
