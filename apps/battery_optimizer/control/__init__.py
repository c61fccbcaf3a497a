"""Pure: from a plan and what the house does now to one command.

    dispatch   a plan's slot as the command for now; guards: limits that always hold
    steering   what to send, by what came of the commands before
    proof      whether the inverter does what it was told, by measured power
    manual     who else sets it; breaker: when it refuses; writes: how often it was written to
    clock      what is remembered of all that when the clock is set back
    fallback   what to do without a plan; reasons: why, in words

Who sends it is `commander`, outside of this package.
"""
