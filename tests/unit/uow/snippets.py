"""Loops around a `with` block, as source, by whether the end of the block leads to the next round.

Each snippet is the body of a function with `rounds`, an iterable of managers, and is compiled in both colours:
WITH stands for `with` or `async with`.
"""

AGAIN = {
    "the block alone": """
        for one in rounds:
            WITH one:
                pass
    """,
    "the block with a target and work": """
        for one in rounds:
            WITH one as two:
                work = [two, 1]
                work.append(3)
    """,
    "continue": """
        for one in rounds:
            WITH one:
                continue
    """,
    "continue in a branch": """
        for one in rounds:
            WITH one:
                if done:
                    continue
                work = 1
    """,
    "code before the block": """
        for one in rounds:
            work = 1
            WITH one:
                work = 2
    """,
    "else of the loop": """
        for one in rounds:
            WITH one:
                pass
        else:
            work = 1
    """,
    "code behind the loop": """
        for one in rounds:
            WITH one:
                pass
        return 7
    """,
    "a loop inside the block": """
        for one in rounds:
            WITH one:
                for work in (1, 2):
                    if work:
                        break
    """,
    "a loop around the loop": """
        for _ in (1,):
            for one in rounds:
                WITH one:
                    work = 1
    """,
    "try around the loop": """
        try:
            for one in rounds:
                WITH one:
                    work = 1
        finally:
            work = 2
    """,
    "try inside the block": """
        for one in rounds:
            WITH one:
                try:
                    work = 1
                finally:
                    work = 2
    """,
}
ENOUGH = {
    "return": """
        for one in rounds:
            WITH one:
                return
    """,
    "return of a value": """
        for one in rounds:
            WITH one:
                return one
    """,
    "return of a constant": """
        for one in rounds:
            WITH one:
                return 7
    """,
    "return inside a loop in the block": """
        for one in rounds:
            WITH one:
                for work in (1, 2):
                    return work
    """,
    "break": """
        for one in rounds:
            WITH one:
                break
    """,
    "break with else": """
        for one in rounds:
            WITH one:
                break
        else:
            work = 1
    """,
    "break out of the inner of two loops": """
        for _ in (1,):
            for one in rounds:
                WITH one:
                    break
    """,
    "break at the end of a loop's body": """
        for _ in (1, 2):
            for one in rounds:
                WITH one:
                    break
            work = 1
    """,
    "code behind the block": """
        for one in rounds:
            WITH one:
                pass
            work = 1
    """,
    "a call behind the block": """
        for one in rounds:
            WITH one:
                pass
            print(end="")
    """,
    "break behind the block": """
        for one in rounds:
            WITH one:
                pass
            break
    """,
    "return behind the block": """
        for one in rounds:
            WITH one:
                pass
            return
    """,
    "a condition behind the block": """
        for one in rounds:
            WITH one:
                pass
            if done:
                break
    """,
    "no loop": """
        one = next(rounds)
        WITH one:
            pass
    """,
    "a while loop": """
        while not done:
            one = next(rounds)
            WITH one:
                done = True
    """,
    "while for ever": """
        while True:
            one = next(rounds)
            WITH one:
                pass
            return
    """,
    "try and finally inside the loop": """
        for one in rounds:
            try:
                WITH one:
                    pass
            finally:
                work = 1
    """,
    "another block around it": """
        for one in rounds:
            with nothing():
                WITH one:
                    pass
    """,
    "return with finally": """
        for one in rounds:
            WITH one:
                try:
                    return 1
                finally:
                    work = 1
    """,
}
