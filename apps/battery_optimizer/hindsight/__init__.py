"""What past days lost against the best possible, cause by cause, and how good forecasts were.

    review    some plans at a look: yesterday, then days that were missed
    stored    a day as the app's database has it
    lived     a day as it was lived through, wherever it comes from
    loss      its distance from the best in hindsight, split by causes
    accuracy  errors of forecasts, by hour and by lead time

A running app asks it of days in its database, a backtest of those just played.
"""
