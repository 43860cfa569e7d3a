from tonearm.run.store.spool import Spool


def test_a_spool_gives_back_what_it_took():
    spool = Spool()
    rows = [(number, f"/a/folder/of/names/{number}", None, ("a", 1), [1.5], "\udcff") for number in range(10_000)]
    for row in rows:
        spool.append(row)
    assert len(spool) == 10_000
    assert list(spool) == rows
    assert list(spool) == rows  # again
    assert sum(map(len, spool._blocks)) < 10_000 * 30


def test_full_blocks_are_compressed():
    spool, seen = Spool(), []
    for number in range(8193):
        spool.append((number,))
        seen.append(len(spool._blocks))
        if number in (0, 4094, 4095, 4096):
            assert [row for (row,) in spool] == list(range(number + 1))
    assert [seen[at] for at in (0, 4094, 4095, 8190, 8191, 8192)] == [0, 0, 1, 1, 2, 2]
    assert len(Spool()) == 0
    assert list(Spool()) == []
