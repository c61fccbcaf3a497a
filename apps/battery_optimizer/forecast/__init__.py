"""Pure: what load, sun and rates will be.

    outlook         everything on one grid, with the ways that it may turn out (futures)
    house_load      the load, put together: large_loads and their sessions, warmth, and the rest
    load            the rest: a regression (load_model) on day shapes (load_profiles; calendar)
    solar           the sun: what is told, corrected by what came of it (solar_model), or the sky
    rates           rates beyond the published ones, and what energy left at the end is worth
    away            the load while nobody is in; usual: what a session counts as usual

    meters          what of the readings can be believed (balance, cleaning, no_sun)
    suspects        what is wrong with what is forecast of the sun (told: what was before)
    battery_limits  what the battery really gives and takes (battery_curves, battery_words)

What is learned is kept until the day is over; nothing here asks anybody, nor knows the time.
"""
