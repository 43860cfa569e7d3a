"""Arrays of everything that holds numbers in memory; libraries that are not installed are played by objects."""

from __future__ import annotations

import array
import sys
import types
from typing import Any

import numpy as np
import pytest

from tonearm.errors import UsageError
from tonearm.tensors import as_array

VALUES = np.array([[0.0, 0.5, -0.25], [1.0, -1.0, 0.125]], np.float32)


def refused(given: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        as_array(given)
    assert str(caught.value).count("\n") <= 1
    assert caught.value.hint
    return caught.value


def of_library(module: str, name: str = "Tensor", base: type = object, **methods: Any) -> Any:
    """Return an object of a class that a library's module has."""
    return type(name, (base,), {"__module__": module, **methods})()


class TestNumPy:
    @pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "c8", "i2", "i4", "u1", ">f4"])
    def test_an_array_keeps_its_type_and_its_memory(self, dtype: str) -> None:
        given = VALUES.astype(dtype)
        found = as_array(given)
        assert found.dtype == given.dtype
        assert np.shares_memory(found, given)

    @pytest.mark.parametrize(
        ("dtype", "wider"),
        [("bfloat16", "f4"), ("float8_e4m3fn", "f4"), ("float8_e5m2", "f4"), ("float4_e2m1fn", "f4"), ("int4", "int4")],
    )
    def test_floats_of_ml_dtypes_become_wider(self, dtype: str, wider: str) -> None:
        ml_dtypes = pytest.importorskip("ml_dtypes")
        given = VALUES.astype(getattr(ml_dtypes, dtype))
        found = as_array(given)
        assert found.dtype == wider
        assert np.array_equal(found, given.astype(found.dtype))

    def test_a_read_only_array_stays_as_it_is(self) -> None:
        given = VALUES.copy()
        given.flags.writeable = False
        assert as_array(given) is given

    def test_masked_values_are_refused(self) -> None:
        error = refused(np.ma.masked_array(VALUES, VALUES > 0.9))
        assert (error.code, error.message) == ("not-dense", "the array has masked values")
        assert error.hint == "give array.filled(0)"
        assert np.array_equal(as_array(np.ma.masked_array(VALUES)), VALUES)


class TestLists:
    def test_numbers_and_rows_of_them(self) -> None:
        assert as_array([0.0, 0.5]).dtype == "f8"
        assert as_array([0, 1]).dtype == "i8"
        assert np.array_equal(as_array([[0.0, 0.5], (1, 2)]), [[0, 0.5], [1, 2]])
        assert as_array([]).shape == (0,)

    def test_arrays_of_one_shape_are_stacked_as_numpy_does(self) -> None:
        assert np.array_equal(as_array(list(VALUES)), VALUES)
        assert np.array_equal(as_array([list(VALUES), list(VALUES)]), [VALUES, VALUES])
        assert np.array_equal(as_array([np.float32(0.5), np.float32(1)]), [0.5, 1])

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ([[0.1], [0.2, 0.3]], "the rows of the list have different lengths"),
            ([0.1, [0.2]], "the rows of the list have different lengths"),
            ([VALUES[0], VALUES[0, :2]], "the arrays of the list have different shapes: (3,), (2,)"),
            (
                [VALUES[:1], *(VALUES[0, :n] for n in (1, 1, 2, 3)), VALUES],
                "the arrays of the list have different shapes: (1, 3), (1,), (2,), (3,), …",
            ),
        ],
    )
    def test_different_lengths(self, given: Any, message: str) -> None:
        error = refused(given)
        assert (error.code, error.message) == ("ragged", message)
        assert error.hint == "join them into one, as by numpy.concatenate, or give each by itself"

    @pytest.mark.parametrize(
        ("given", "what"),
        [
            ([0.1, None], "None"),
            ([None], "None"),
            ([0.1, "a"], "str"),
            (["a", "b"], "str"),
            ([b"a"], "bytes"),
            ([[0.1, 0.2], [0.3, None]], "None"),
            ([{"audio": VALUES}], "dict"),
        ],
    )
    def test_something_else_than_numbers(self, given: Any, what: str) -> None:
        error = refused(given)
        assert (error.code, error.message) == ("not-an-array", f"the list holds {what}, not numbers")
        assert (error.hint == "give each by itself") == (what == "dict")

    def test_a_list_that_holds_itself(self) -> None:
        given: list[Any] = []
        given.append(given)
        assert refused(given).code in ("ragged", "not-an-array")

    def test_numbers_of_any_size(self) -> None:
        assert refused([2**80, 1]).message == "the list holds numbers of more than 64 bits"


class TestProtocols:
    @pytest.mark.parametrize("given", [array.array("h", [0, 1]), memoryview(np.array([0, 1], "i2"))])
    def test_buffers(self, given: Any) -> None:
        found = as_array(given)
        assert (found.dtype, found.tolist()) == ("i2", [0, 1])

    @pytest.mark.parametrize("given", [b"\0\1", bytearray(b"\0\1"), memoryview(b"\0\1")])
    def test_bytes_have_no_type(self, given: Any) -> None:
        error = refused(given)
        assert error.code == "not-an-array"
        assert error.hint == "give an array, as by numpy.frombuffer(data, 'int16')"

    def test_the_array_interface(self) -> None:
        given = types.SimpleNamespace(__array_interface__=VALUES.__array_interface__, kept=VALUES)
        assert np.array_equal(as_array(given), VALUES)

    def test_dlpack_comes_first_and_array_second(self) -> None:
        class Tensor:
            def __dlpack__(self, **asked: Any) -> Any:
                return VALUES.__dlpack__(**asked)

            def __dlpack_device__(self) -> tuple[int, int]:
                return VALUES.__dlpack_device__()

            def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
                return VALUES + 1

        class Narrow(Tensor):
            def __dlpack__(self, **asked: Any) -> Any:
                raise BufferError("bfloat16 is not supported")

        assert np.array_equal(as_array(Tensor()), VALUES)
        assert np.array_equal(as_array(Narrow()), VALUES + 1)

    def test_dlpack_moves_what_is_on_a_device(self) -> None:
        asked = []

        class Tensor:
            def __dlpack__(self, **given: Any) -> Any:
                asked.append(given.pop("dl_device"))
                return VALUES.__dlpack__(**given)

            def __dlpack_device__(self) -> tuple[int, int]:
                return 2, 0

        assert np.array_equal(as_array(Tensor()), VALUES)
        assert asked == [(1, 0)]

    def test_a_device_without_a_way_to_the_cpu(self) -> None:
        error = refused(types.SimpleNamespace(__cuda_array_interface__={}))
        assert error.message == "the values of the SimpleNamespace are on a GPU"
        assert error.hint == "copy them to the CPU first"

    def test_a_failure_of_the_library_is_its_own(self) -> None:
        class Broken:
            def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
                raise RuntimeError("no storage\nat all")

        error = refused(Broken())
        assert error.message == r"cannot take the values of the Broken: RuntimeError: no storage\nat all"
        assert isinstance(error.__cause__, RuntimeError)

    @pytest.mark.parametrize("given", [None, 3, 0.5, "a.npy", {0.5}, {"audio": VALUES}, range(3), object()])
    def test_anything_else(self, given: Any) -> None:
        error = refused(given)
        kind = "None" if given is None else type(given).__name__
        assert error.message == f"{kind} is not an array, a tensor or a list of numbers"

    @pytest.mark.parametrize(
        ("given", "hint"),
        [
            (None, "check that the model returns it"),
            (np.ndarray, "give what it returns"),
            (np.sin, "give what it returns"),
            (range(3), "make a list of it first, as by list(audio)"),
            ({0.5}, "make a list of it first, as by list(audio)"),
            (object(), "make a NumPy array of it first"),
        ],
    )
    def test_what_to_give_instead(self, given: Any, hint: str) -> None:
        assert refused(given).hint == hint

    def test_chunks_that_come_one_by_one(self) -> None:
        error = refused(chunk for chunk in [VALUES])
        assert error.hint == "join what it yields into one array, as by numpy.concatenate(list(chunks))"


class OnDevice:
    """A tensor of PyTorch on a device, which counts its moves."""

    dtype = "torch.bfloat16"
    layout = "torch.strided"
    is_nested = is_quantized = False
    device = types.SimpleNamespace(type="cuda")

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name not in ("detach", "cpu", "resolve_conj", "resolve_neg", "float"):
            raise AttributeError(name)
        return lambda: self.calls.append(name) or self

    def numpy(self) -> Any:
        if self.calls[:2] != ["detach", "cpu"]:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        return VALUES

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


class TestOtherLibraries:
    @pytest.mark.parametrize("device", ["cuda", "mps", "xpu"])
    def test_a_tensor_on_a_device_is_moved_once_and_then_widened(self, device: str) -> None:
        tensor = of_library("torch", base=OnDevice, device=types.SimpleNamespace(type=device))
        assert np.array_equal(as_array(tensor), VALUES)
        assert tensor.calls == ["detach", "cpu", "resolve_conj", "resolve_neg", "float"]

    def test_a_subclass_of_a_tensor_in_another_package(self) -> None:
        tensor = of_library("torch", base=OnDevice)
        mine = of_library("acme.tensors", "Mine", base=type(tensor))
        assert np.array_equal(as_array(mine), VALUES)

    def test_tensorflow(self) -> None:
        module = "tensorflow.python.framework.ops"
        assert np.array_equal(as_array(of_library(module, "EagerTensor", numpy=lambda _: VALUES)), VALUES)
        assert refused(of_library(module, "SparseTensor")).hint == "give tensorflow.sparse.to_dense(tensor)"
        ragged = refused(of_library(module, "RaggedTensor", numpy=lambda _: VALUES))
        assert ragged.hint == "give tensor.to_tensor(), or each of its rows by itself"
        assert refused(of_library(module, "SymbolicTensor")).message.startswith("the tensor has no values before")

    def test_jax(self) -> None:
        read = {"__array__": lambda _, dtype=None, copy=None: VALUES}
        assert np.array_equal(as_array(of_library("jaxlib._jax", "ArrayImpl", **read)), VALUES)
        assert refused(of_library("jax.experimental.sparse.bcoo", "BCOO", todense=None)).hint == "give array.todense()"
        tracer = of_library("jax._src.core", "Tracer", **read)
        error = refused(of_library("jax._src.interpreters.partial_eval", "DynamicJaxprTracer", base=type(tracer)))
        assert error.message == "the array has no values inside a function that JAX traces"
        assert refused(of_library("jax.numpy", "ScalarMeta")).code == "not-an-array"

    def test_mlx(self, monkeypatch: pytest.MonkeyPatch) -> None:
        core: Any = types.ModuleType("mlx.core")
        core.float32 = "float32"
        monkeypatch.setitem(sys.modules, "mlx.core", core)
        wide = of_library("mlx.core", "array", dtype="mlx.core.float32", __array__=lambda *_, **__: VALUES)
        narrow = of_library(
            "mlx.core", "array", dtype="mlx.core.bfloat16", astype=lambda _, dtype: wide if dtype == "float32" else None
        )
        assert np.array_equal(as_array(wide), VALUES)
        assert np.array_equal(as_array(narrow), VALUES)

    def test_cupy(self) -> None:
        def implicit(*_: Any, **__: Any) -> Any:
            raise TypeError("Implicit conversion to a NumPy array is not allowed.")

        assert np.array_equal(as_array(of_library("cupy", "ndarray", get=lambda _: VALUES, __array__=implicit)), VALUES)
        sparse = of_library("cupyx.scipy.sparse", "csr_matrix", get=None, toarray=None)
        assert refused(sparse).hint == "give array.toarray()"
        assert refused(of_library("cupy", "ufunc")).code == "not-an-array"

    def test_scipy(self) -> None:
        sparse = pytest.importorskip("scipy.sparse")
        assert refused(sparse.csr_array(VALUES)).hint == "give array.toarray()"
        assert refused(of_library("scipy.signal", "ShortTimeFFT")).code == "not-an-array"

    def test_no_library_is_imported(self) -> None:
        import subprocess

        code = (
            "import sys; from tonearm.tensors import as_array; as_array([0.5])\n"
            "print({name.partition('.')[0] for name in sys.modules} & {'torch', 'jax', 'tensorflow', 'mlx', 'cupy',"
            " 'scipy', 'ml_dtypes'})"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "set()\n"


@pytest.mark.torch
class TestTorch:
    @pytest.fixture
    def torch(self) -> Any:
        return pytest.importorskip("torch", reason="pip install torch")

    @pytest.mark.parametrize(
        ("dtype", "found"),
        [
            *(("float32", "f4"), ("float64", "f8"), ("float16", "f2"), ("bfloat16", "f4"), ("float8_e4m3fn", "f4")),
            *(("float8_e5m2", "f4"), ("int16", "i2"), ("int32", "i4"), ("uint8", "u1"), ("bool", "?")),
            *(("complex64", "c8"), ("complex128", "c16"), ("complex32", "c8")),
        ],
    )
    @pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental")
    def test_types_that_numpy_lacks_become_wider(self, torch: Any, dtype: str, found: str) -> None:
        tensor = torch.tensor(VALUES).abs().to(getattr(torch, dtype))
        got = as_array(tensor)
        assert got.dtype == found
        wide = tensor.to(torch.complex128).numpy()
        assert np.array_equal(got, wide if got.dtype.kind == "c" else wide.real)

    def test_what_a_model_gives(self, torch: Any) -> None:
        tensor = torch.tensor(VALUES)
        assert np.array_equal(as_array(tensor.clone().requires_grad_()), VALUES)
        assert np.array_equal(as_array(torch.nn.Parameter(tensor)), VALUES)
        assert np.array_equal(as_array(tensor.T), VALUES.T)
        assert np.array_equal(as_array(tensor[:, ::2]), VALUES[:, ::2])
        assert np.array_equal(as_array([tensor[0], tensor[1].clone().requires_grad_()]), VALUES)
        assert np.array_equal(as_array(list(tensor[0])), VALUES[0])
        with torch.inference_mode():
            assert np.array_equal(as_array(tensor * 2), VALUES * 2)
        assert np.shares_memory(as_array(tensor), tensor.numpy())

    def test_views_that_numpy_lacks(self, torch: Any) -> None:
        pairs = torch.view_as_complex(torch.tensor(VALUES[:, :2].copy()))
        conjugate = pairs.conj()
        assert conjugate.is_conj()
        assert conjugate.imag.is_neg()
        assert np.array_equal(as_array(conjugate), pairs.numpy().conj())
        assert np.array_equal(as_array(conjugate.imag), -VALUES[:, 1])

    @pytest.mark.filterwarnings("ignore")
    def test_tensors_without_dense_values(self, torch: Any) -> None:
        tensor = torch.tensor(VALUES)
        given = {
            "tensor.to_dense()": [tensor.to_sparse(), tensor.to_sparse_csr()],
            "tensor.dequantize()": [torch.quantize_per_tensor(tensor, 0.1, 0, torch.quint8)],
            "each of tensor.unbind() by itself": [torch.nested.nested_tensor([tensor[0], tensor[0, :2]])],
            "the tensor of a loaded model": [tensor.to("meta")],
        }
        for remedy, tensors in given.items():
            for one in tensors:
                error = refused(one)
                assert (error.code, error.hint) == ("not-dense", f"give {remedy}")

    def test_what_is_no_tensor(self, torch: Any) -> None:
        assert refused(torch.nn.Linear(1, 1)).message == "Linear is not an array, a tensor or a list of numbers"
        assert refused(torch.float32).code == "not-an-array"
        error = refused([torch.zeros(3), torch.zeros(2)])
        assert (error.code, error.hint) == ("ragged", "join them into one, as by torch.cat, or give each by itself")

    def test_a_tensor_that_is_traced(self, torch: Any) -> None:
        errors = []

        def model(tensor: Any) -> Any:
            errors.append(refused(tensor))
            return tensor

        torch.func.vmap(model)(torch.tensor(VALUES))
        assert errors[0].message.startswith("cannot take the values of the Tensor: RuntimeError: ")
