"""Battery Optimizer: plans a home battery by linear programming and drives a Fox ESS inverter.

    app        the AppDaemon shell: wires adapters to the cycle, sets timers; does not think
    host       what AppDaemon offers, as callables; logbook: what its log is told
    turns      one thing at a time for a house; watch: sees to it that cycles go on
    config     the settings of apps.yaml, typed; every mistake names its key path (config_sections;
               config_docs makes their table)
    cycle      read -> forecast -> optimize -> dispatch -> record: one cycle
    foresight  from the ports to an outlook
    commander  gives the inverter its orders, watches what comes of them
    ports      what a cycle needs from outside; errors: what may go wrong
    model      pure values: the UTC grid, tariffs, the house, outlooks, plans, decisions
    forecast   pure: what load, sun and rates will be
    optimize   pure: the linear program, the planner around it, the reasons
    control    pure: from a plan to one command; whether it is carried out, and what if not
    adapters   I/O, one outside system per folder or file
    hindsight  what past days lost against the best possible, and why
    money      each day's bill, and what it would have been otherwise
    wiring     makes a running house of the settings, and tells the world of it
    simulate   recorded days, the simulated house, backtests, replays: no part of a running app
    diagnostics  one file that says all, and nothing secret (config_private)

Names, units and signs: energies are kWh per slot on the battery's AC side, `..._kw` average power,
rates p/kWh including VAT, money pence, times aware UTC. Charge, discharge, import and export are
separate and never negative.
"""
