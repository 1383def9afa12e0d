"""The fault drill: workers are killed and the mail server has outages, and nothing may be lost or done twice.

`./just drill` runs it. Workers, mail server and members are real processes. Afterwards an oracle reads the record of
facts and the drill's journals, and counts violations; it shares no code with what it checks.
"""
