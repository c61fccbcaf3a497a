"""What a formula of ours needs of its operands: the same for numbers, arrays and LP expressions."""

from typing import Any, Protocol, Self, TypeAlias

Operand: TypeAlias = Any
"""A number, or one of the same kind: arrays and expressions differ in what they take."""


class Linear(Protocol):
    """A float, an array, or an expression of the linear program."""

    def __add__(self, other: Operand, /) -> Self: ...
    def __sub__(self, other: Operand, /) -> Self: ...
    def __rmul__(self, other: Operand, /) -> Self: ...
    def __truediv__(self, other: Operand, /) -> Self: ...


class LinearVector(Linear, Protocol):
    """An array or an expression, that a vector of rates can be multiplied with."""

    def __rmatmul__(self, other: Operand, /) -> Self: ...
