"""Recorded days, a simulated house and home, backtests; a running app imports none of it.

    __main__     the command line (options, files, progress: what its commands have in common)
    days/        days to be played: recorded, or made into others (home_file: of which house)
    backtest     the closed loop around them (house: with all ports; diary: what is kept of it)
    replay       the decisions of a diagnostics file, made again
    report/      pages that open without a network
    compare/     other tariffs, batteries, panels and policies on one's own days
    forecasting/ how good forecasts are, beside other ways to make them
    bench/       how good plans are, how long they take, what they cost in memory

    live         `make run`: the app in AppDaemon (connection: is Home Assistant there?)
    home/        the simulated home, as Home Assistant would show it

What it lives through is the very cycle, and the physics of `model.flows`.
"""
