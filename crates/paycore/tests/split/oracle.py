#!/usr/bin/env python3
"""Cases of profit sharing and agents, worked out with rational numbers and nothing of paycore.

    python3 oracle.py split 1000000 > split.jsonl     python3 oracle.py agents 100000 > agents.jsonl

One JSON object a line. `rule` says in words what the numbers follow from, so that a person can check a line by hand.
The seed is fixed: the same count gives the same lines.
"""

import json
import random
import sys
from fractions import Fraction as F
from math import floor

MILLION = 1_000_000
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def identifier(prefix, number):
    letters = ""
    for _ in range(26):
        letters = CROCKFORD[number % 32] + letters
        number //= 32
    return f"{prefix}_{letters}"


def by_largest_remainder(exact, units):
    """`exact`: id -> (fraction due, weight). Hands out `units` whole units."""
    shares = {who: floor(due) for who, (due, _) in exact.items()}
    over = units - sum(shares.values())
    assert 0 <= over <= len(exact)
    queue = sorted(exact, key=lambda who: (-(exact[who][0] - shares[who]), -exact[who][1], who))
    for who in queue[:over]:
        shares[who] += 1
    return shares


def claim(part, base):
    rule = part["rule"]
    if rule["type"] == "ratio":
        due = F(base * rule["millionths"], MILLION)
    elif rule["type"] == "fixed":
        due = F(rule["amount"])
    elif rule["mode"] == "whole":
        band = next(b for b in rule["bands"] if b.get("up_to") is None or base <= b["up_to"])
        due = F(base * band["millionths"], MILLION)
    else:
        due, floor_of_band = F(0), 0
        for band in rule["bands"]:
            top = band.get("up_to")
            inside = max(0, (base if top is None else min(base, top)) - floor_of_band)
            due += F(inside * band["millionths"], MILLION)
            floor_of_band = top
    due = max(due, part.get("min", due))
    return min(due, part.get("max", due))


def divide(terms, gross, fee):
    net = max(0, gross - fee)
    base = gross if terms["base"] == "gross" else net
    left, shares = net, {}
    ranked = [p for p in terms["parts"] if p["rule"]["type"] != "remainder"]
    for rank in sorted({p["rank"] for p in ranked}):
        due = {p["receiver_id"]: claim(p, base) for p in ranked if p["rank"] == rank}
        total = sum(due.values())
        if total <= left:
            given = by_largest_remainder({w: (d, d) for w, d in due.items()}, floor(total))
        else:
            given = by_largest_remainder({w: (F(left) * d / total, d) for w, d in due.items()}, left)
        shares |= given
        left -= sum(given.values())
    rest = {p["receiver_id"]: p for p in terms["parts"] if p["rule"]["type"] == "remainder"}
    if rest:
        weights = {w: p["rule"]["weight"] for w, p in rest.items()}
        total = sum(weights.values())
        given = by_largest_remainder({w: (F(left * n, total), n) for w, n in weights.items()}, left)
        given = {w: min(n, rest[w].get("max", n)) for w, n in given.items()}
        shares |= given
        left -= sum(given.values())
    return {w: n for w, n in shares.items() if n > 0}, left


def a_rule(draw):
    kind = draw.choice(["ratio", "ratio", "ratio", "fixed", "tier", "remainder"])
    if kind == "ratio":
        return {"type": kind, "millionths": draw.choice([draw.randint(1, 300_000), draw.randint(1, 99), 333_333, 500])}
    if kind == "fixed":
        return {"type": kind, "amount": draw.randint(1, 10 ** draw.randint(1, 7))}
    if kind == "remainder":
        return {"type": kind, "weight": draw.randint(1, 7)}
    ends = sorted({draw.randint(1, 10 ** draw.randint(2, 9)) for _ in range(draw.randint(0, 3))})
    bands = [{"up_to": end, "millionths": draw.randint(0, 200_000)} for end in ends]
    return {"type": kind, "mode": draw.choice(["whole", "graduated"]),
            "bands": bands + [{"millionths": draw.randint(0, 200_000)}]}


def a_part(draw, receiver, ranks):
    part = {"receiver_id": receiver, "rule": a_rule(draw), "rank": draw.randint(0, ranks)}
    if draw.random() < 0.15 and part["rule"]["type"] != "remainder":
        part["min"] = draw.randint(0, 10 ** draw.randint(1, 6))
    if draw.random() < 0.15:
        part["max"] = part.get("min", 0) + draw.randint(0, 10 ** draw.randint(1, 6))
    return part


def accepted(parts):
    """paycore refuses a plan whose unbounded ratios are more than everything."""
    def least(part):
        if "max" in part:
            return 0
        rule = part["rule"]
        if rule["type"] == "ratio":
            return rule["millionths"]
        return min(b["millionths"] for b in rule["bands"]) if rule["type"] == "tier" else 0
    return sum(map(least, parts)) <= MILLION


def refunds_of(draw, gross):
    k = draw.randint(1, 5)
    cuts = sorted(draw.randint(0, gross) for _ in range(k - 1))
    return [b - a for a, b in zip([0, *cuts], [*cuts, gross]) if b > a]


def a_split(draw):
    while True:
        count = draw.choice([1, 2, 2, 3, 3, 4, 5, 8, draw.randint(1, 40)])
        receivers = draw.sample(range(1, 1_000), count)
        ranks = draw.choice([0, 0, 2])
        parts = [a_part(draw, identifier("rcv", r), ranks) for r in receivers]
        if accepted(parts):
            break
    gross = draw.randint(1, 10 ** draw.randint(1, 13))
    fee = draw.choice([0, gross * 6 // 1000, draw.randint(0, gross)])
    terms = {"base": draw.choice(["gross", "net"]), "parts": parts}
    shares, merchant = divide(terms, gross, fee)
    refunds = refunds_of(draw, gross)
    so_far, back = 0, []
    for refund in refunds:
        so_far += refund
        back.append({w: floor(F(n * so_far, gross)) for w, n in shares.items()})
    return {
        "rule": "rank by rank: claims are exact fractions of the base; the receivers of a rank together get the whole units "
                "of their sum, or what is left in proportion; cut first, then one unit each by largest loss, larger claim, "
                "lower id; remainders share what is left by weight; the merchant keeps the rest. Of every share the part "
                "floor(share * refunded / gross) must be back after each refund.",
        "gross": gross, "fee": fee, "terms": terms, "shares": sorted(shares.items()), "merchant": merchant,
        "refunds": refunds, "back": [sorted(b.items()) for b in back],
    }


def half_up(value):
    return floor(value + F(1, 2))


def price(rate, amount):
    due = half_up(F(amount * rate["millionths"], MILLION)) + rate.get("fixed", 0)
    due = max(due, rate.get("min", due))
    return min(due, rate.get("max", due), amount)


def a_rate(draw, above):
    rate = {"millionths": min(MILLION, above.get("millionths", 0) + draw.randint(0, 900))}
    rate["fixed"] = above.get("fixed", 0) + draw.choice([0, 0, draw.randint(0, 20)])
    return rate


def a_chain(draw):
    depth = draw.randint(1, 5)
    rates, above = [], {"millionths": draw.randint(500, 3_000)}
    for _ in range(depth + 1):
        rates.append(above)
        above = a_rate(draw, above)
    if draw.random() < 0.2:
        # An agent whose cost was raised above its child's: it earns nothing rather than less than nothing.
        rates[draw.randrange(len(rates))] = {"millionths": draw.randint(500, 9_000)}
    amount = draw.randint(1, 10 ** draw.randint(1, 11))
    prices = [price(r, amount) for r in rates]
    fee = prices[-1]
    effective, running = [], 0
    for due in prices[:-1]:
        running = max(running, due)
        effective.append(min(running, fee))
    effective.append(fee)
    margins = [b - a for a, b in zip(effective, effective[1:])]
    assert effective[0] + sum(margins) == fee and min(margins) >= 0
    refunds = refunds_of(draw, amount)
    so_far, back = 0, []
    for refund in refunds:
        so_far += refund
        back.append([floor(F(m * so_far, amount)) for m in margins])
    return {
        "rule": "what each level pays is half-up(amount * rate) + fixed, no less than the level above pays and no more than "
                "the merchant pays; a level's margin is what the level below it pays less what it pays itself, so that "
                "the platform's part and the margins are the merchant's fee to the last unit.",
        "amount": amount, "rates": rates, "fee": fee, "platform": effective[0], "margins": margins,
        "refunds": refunds, "back": back,
    }


def main():
    kind, count = sys.argv[1], int(sys.argv[2])
    draw = random.Random(f"{kind} 2026")
    make = {"split": a_split, "agents": a_chain}[kind]
    for _ in range(count):
        print(json.dumps(make(draw), separators=(",", ":")))


main()
