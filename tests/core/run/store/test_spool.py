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
