"""Pure values, which know nothing but each other.

    slots      the UTC grid of half hours, and clock changes; spans: other times brought onto it
    tariff     unit rates and the bill; money: what days cost; loss: what they lost, by causes
    house      battery, inverter and grid connection; learned: what the battery showed of itself
    modes      what an inverter can be told; flows: what a house then does; wording: in words
    telemetry  what was measured; meters: by which entities; held_back: sun that was turned down
    solar      panels, and when a forecast of their power is fit to be used
    outlook    all that is expected; wishes: all that is wanted
    plan       what is to be done; band: how full the battery may then be
    decision   what was done; past: what a house has lived through
    shown      what there is to show; news: what is worth a notification; found: what is there
    settings   how cycles behave; ranges: what numbers may be
    entity     what Home Assistant says; service: what it does; memory: words that outlive us
    codec      values as JSON and back; linear: what a formula needs of its operands

A value checks itself when it is made: inside of the app a bad one is a bug.
"""
