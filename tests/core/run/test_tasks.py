from run_toys import task


def test_a_task_gives_its_source(folder):
    source = task("a.txt", folder="x").source(b"content")
    assert (source.name, source.path_text, source.relative_dir) == ("a.txt", f"{folder}/a.txt", "x")
    with source.open(descriptor=False) as file:  # there is no such file: what was read already is not read again
        assert file.read() == b"content"
