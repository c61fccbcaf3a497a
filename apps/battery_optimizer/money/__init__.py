"""What each day cost, and would have cost otherwise.

    ledger   brings some days up to date at a look
    metered  what each half hour was, as metered or estimated
    bills    what that cost, and would have cost

Off the path of a cycle, which waits for none of it.
"""
