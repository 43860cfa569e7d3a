import pytest

from tonearm.errors import UsageError
from tonearm.run.part import Part


def test_a_part_is_parsed():
    assert Part.parse("2/8") == Part(index=2, count=8)
    assert Part.parse("1/1").suffix == "-1-of-1"


@pytest.mark.parametrize(
    "text",
    [
        "0/3",
        "4/3",
        "3",
        "1/",
        "/3",
        "1/2/3",
        "-1/3",
        "a/b",
        "1.0/2",
        "",
        "0/0",
        "1/0",
        "slurm/",
        "pbs/x",
        "k8s/0",
        "²/3",
    ],
)
def test_a_text_that_names_no_part(text):
    with pytest.raises(UsageError) as caught:
        Part.parse(text, {"JOB_COMPLETION_INDEX": "0"})
    assert caught.value.message == f"invalid part {text!r}: use I/N with 1 <= I <= N"


def test_each_source_is_in_exactly_one_part():
    for source in ("a.npy", "x/b.npy", "\udcff.npy"):
        for count in (1, 2, 7):
            assert sum(Part(index, count).contains(source) for index in range(1, count + 1)) == 1


def test_a_caller_gives_a_pair_or_a_text():
    assert Part.of((2, 3)) == Part.of("2/3") == Part.of(Part(2, 3)) == Part(2, 3)
    assert Part.of(None) is None
    for wrong in ((3, 2), (1, 2, 3), ("a", 2)):
        with pytest.raises(UsageError, match="invalid part"):
            Part.of(wrong)


def slurm(index, least=1, most=4, **more):
    found = {"SLURM_ARRAY_TASK_ID": index, "SLURM_ARRAY_TASK_MIN": least, "SLURM_ARRAY_TASK_MAX": most, **more}
    return {name: str(value) for name, value in found.items()}


class TestSchedulers:
    @pytest.mark.parametrize(
        ("least", "most", "step", "count"),
        [(1, 4, 1, 4), (0, 3, 1, 4), (1, 7, 2, 4), (0, 6, 2, 4), (17, 20, 1, 4), (3, 3, 1, 1)],
    )
    def test_each_task_of_a_slurm_array_is_another_part(self, least, most, step, count):
        more = {"SLURM_ARRAY_TASK_STEP": step, "SLURM_ARRAY_TASK_COUNT": count}
        found = [Part.parse("slurm", slurm(index, least, most, **more)) for index in range(least, most + 1, step)]
        assert {part.count for part in found} == {count}
        assert sorted(part.index for part in found) == list(range(1, count + 1))

    def test_a_slurm_array_from_1_gives_its_own_numbers(self):
        assert [Part.parse("slurm", slurm(index)).index for index in (1, 2, 3, 4)] == [1, 2, 3, 4]

    @pytest.mark.parametrize("start", [0, 1])
    def test_one_task_that_is_submitted_again_is_the_part_that_it_was(self, start):
        whole = [Part.parse("slurm", slurm(index, start, start + 3)) for index in range(start, start + 4)]
        alone = [Part.parse("slurm/4", slurm(index, index, index)) for index in range(start, start + 4)]
        assert alone == whole

    def test_a_slurm_array_with_gaps_is_refused(self):
        for index in (1, 5, 9):
            with pytest.raises(UsageError, match="not evenly spaced") as caught:
                Part.parse("slurm", slurm(index, 1, 9, SLURM_ARRAY_TASK_COUNT=3, SLURM_ARRAY_TASK_STEP=1))
            assert "slurm/N" in caught.value.hint

    @pytest.mark.parametrize("name", ["PBS_ARRAY_INDEX", "PBS_ARRAYID"])
    @pytest.mark.parametrize("start", [0, 1])
    def test_each_subjob_of_pbs_and_torque_is_another_part(self, name, start):
        found = [Part.parse("pbs/3", {name: str(index)}) for index in range(start, start + 3)]
        assert sorted(part.index for part in found) == [1, 2, 3]
        assert Part.parse("pbs/3", {name: "2"}) == Part(2, 3)

    def test_the_pods_of_an_indexed_job_count_from_0(self):
        found = [Part.parse("k8s/3", {"JOB_COMPLETION_INDEX": str(index)}) for index in range(3)]
        assert found == [Part(1, 3), Part(2, 3), Part(3, 3)]

    def test_a_variable_may_give_the_count(self):
        found = {"TONEARM_PARTS": "3", "JOB_COMPLETION_INDEX": "0", "PBS_ARRAY_INDEX": "2", "SLURM_ARRAY_TASK_ID": "3"}
        assert [Part.parse(name, found) for name in ("k8s", "pbs", "slurm")] == [Part(1, 3), Part(2, 3), Part(3, 3)]

    @pytest.mark.parametrize(
        ("text", "environ", "named"),
        [
            ("slurm", {}, "SLURM_ARRAY_TASK_ID is not set"),
            ("slurm", {"SLURM_ARRAY_TASK_ID": "1"}, "SLURM_ARRAY_TASK_MIN is not set"),
            ("slurm", slurm("x\x1b"), r"SLURM_ARRAY_TASK_ID is 'x\\x1b', which is no number"),
            ("pbs/3", {}, "PBS_ARRAY_INDEX is not set"),
            ("pbs", {"PBS_ARRAY_INDEX": "1"}, "PBS does not tell how many parts"),
            ("pbs/3", {"PBS_ARRAYID": "4"}, "PBS_ARRAYID is 4, but there are 3 parts"),
            ("k8s/3", {}, "JOB_COMPLETION_INDEX is not set"),
            ("k8s", {"JOB_COMPLETION_INDEX": "0"}, "Kubernetes does not tell how many parts"),
            ("k8s/3", {"JOB_COMPLETION_INDEX": "3"}, "JOB_COMPLETION_INDEX is 3, but there are 3 parts"),
        ],
    )
    def test_what_is_missing_is_named(self, text, environ, named):
        with pytest.raises(UsageError) as caught:
            Part.parse(text, environ)
        assert named in caught.value.message
        assert caught.value.hint
