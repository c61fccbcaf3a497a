"""Makes a running house of settings and adapters, and tells the world of it.

    house     the door: the parts of a house, and what is made of them
    sources   who is asked for rates and for the sun; load: and of the load
    inverter  which inverter is driven; wishes: what the household wants of it
    running   a house that runs: what is asked of it each time

    tell      what Home Assistant is told after a cycle; web: what the page is
    found     what was found in the house, in words

Adapters take plain arguments: only here do settings and adapters meet.
"""
