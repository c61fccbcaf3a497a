"""What a formula of ours needs of its operands: the same for numbers, arrays and LP expressions."""

from typing import Any, Protocol, Self


class Linear(Protocol):
    """A float, an array, or an expression of the linear program."""

    def __add__(self, other: Any, /) -> Self: ...  # noqa: ANN401
    def __sub__(self, other: Any, /) -> Self: ...  # noqa: ANN401
    def __rmul__(self, other: Any, /) -> Self: ...  # noqa: ANN401
    def __truediv__(self, other: Any, /) -> Self: ...  # noqa: ANN401


class LinearVector(Linear, Protocol):
    """An array or an expression, that a vector of rates can be multiplied with."""

    def __rmatmul__(self, other: Any, /) -> Self: ...  # noqa: ANN401
