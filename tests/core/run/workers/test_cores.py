from tonearm.run.workers import cores
from tonearm.run.workers.cores import pin_threads


def test_threads_are_pinned_and_fewer_stay_fewer():
    environ = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "64", "NUMBA_NUM_THREADS": "", "BLIS_NUM_THREADS": "0"}
    pin_threads(environ, 4)
    assert environ["OMP_NUM_THREADS"] == "1"
    assert {environ[name] for name in cores.THREAD_VARIABLES if name != "OMP_NUM_THREADS"} == {"4"}


def test_threads_rest_unless_the_user_wants_them_awake():
    environ = {}
    pin_threads(environ, 2)
    assert environ["OPENBLAS_THREAD_TIMEOUT"] == "16"
    environ = {"OPENBLAS_THREAD_TIMEOUT": "26"}
    pin_threads(environ, 2)
    assert environ["OPENBLAS_THREAD_TIMEOUT"] == "26"
