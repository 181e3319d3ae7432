"""What can end a solve without a plan."""


class Cancelled(Exception):
    """The caller asked to stop; the workers were ended and there is no plan."""


class TooManyPairs(ValueError):
    """More pairs may meet than the caller allows; none was left out silently."""


class SolverFailed(RuntimeError):
    """A bug: a solver gave no answer, or its plan failed the check or the proof."""
