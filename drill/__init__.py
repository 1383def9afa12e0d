"""The fault drill: the product's promises, held while its workers are killed and its mail server goes away.

`./just drill` runs it. Workers, mail server and members are real processes; what they leave behind is counted by an
oracle that reads the record of facts and the journals of the drill, and shares no code with what it judges.
"""
