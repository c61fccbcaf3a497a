"""Pure: from an outlook to a plan with its reasons.

    planner      the door: the optimum, the command for now, or the whole plan
    situation    all that a plan is made from; events: what sessions make of its rates

    inputs       the situation as arrays, the parameters of the program
    program      the linear program (cvxpy_light: CVXPY without what is never used)
    solver       hands it to HiGHS (parametric: by a single sparse product)
    reading      what HiGHS found as a schedule, repaired where no meter could do it
    relaxation   the linear program first, and where that is not enough the exact one
    exact        dynamic programming over stored energy, for any rates (slot_costs, piecewise)

    choosing     what to do now: as ordered, best on average, or by the program
    worth        what commands cost on average over the futures (stages, moves)
    mapping      from a schedule's energies to the modes that give them

    telling      what was chosen as slots (steady: without changes that gain next to nothing)
    explain      why, in words (kept: what energy would save later; uses: what it is for)
    remarks      what else to say of a slot; seen: words for what the meters show instead

C1 ... C28 are constraints and terms of the program: `program` says where each stands.
"""
