"""What fees and exchanges must come to, reckoned with rational numbers.

Prints JSON lines, each one case with its rule in words and what it must come to. It knows the contract (the words of each
case), not the program: every amount is a `fractions.Fraction` until the one rounding that the words name.

    python3 oracle.py COUNT [SEED]
"""

import json
import random
import sys
from fractions import Fraction as F

DECIMALS = {"CNY": 2, "USD": 2, "JPY": 0, "KWD": 3, "EUR": 2}
METHODS = ["alipay.qr", "alipay.page", "wechat.qr", "wechat.mini", "card.web", "unionpay.qr"]
CHANNELS = ["alipay", "wechat", "unionpay", "stripe"]
CARDS = ["credit", "debit", "prepaid", "commercial"]
REGIONS = ["CN", "US", "eea"]
ROUNDINGS = ["half_up", "half_even", "up", "down"]
MOST = 99_999_999_999_999
NOW = "2026-11-15T04:00:00.000Z"


def rounded(exact, how):
    """A fraction as a whole number. All four ways treat both signs alike."""
    sign, size = (-1, -exact) if exact < 0 else (1, exact)
    whole, rest = divmod(size.numerator, size.denominator)
    rest = F(rest, size.denominator)
    if how == "up":
        whole += rest > 0
    elif how == "half_up":
        whole += rest >= F(1, 2)
    elif how == "half_even":
        whole += rest > F(1, 2) or (rest == F(1, 2) and whole % 2 == 1)
    return sign * whole


def text(fraction):
    """A rate as the decimal text of the API."""
    digits = str(int(fraction * 10**12)).rjust(13, "0")
    return (digits[:-12] + "." + digits[-12:]).rstrip("0").rstrip(".")


class Case:
    def __init__(self, rng):
        self.rng = rng

    def rate(self, most=0.05):
        places = self.rng.choice([3, 4, 4, 5, 6, 12])
        return F(self.rng.randrange(int(most * 10**places) + 1), 10**places)

    def amount(self, most=10):
        return self.rng.choice([1, 2, 5, 10, 50, 99, 100, 250]) * self.rng.choice([1, 1, 10]) % (most * 1000)

    def paid(self):
        if self.rng.random() < 0.02:
            return self.rng.randrange(1, 10**14)
        return self.rng.randrange(1, 10 ** self.rng.randrange(1, 9))

    def price(self):
        shape = self.rng.randrange(6)
        price = {"rate": self.rate()} if shape != 1 else {"rate": F(0)}
        if shape in (1, 2, 5):
            price["fixed"] = self.amount()
        if shape in (3, 5):
            price["min"] = self.amount()
        if shape in (4, 5):
            price["max"] = price.get("min", 0) + self.amount()
        return price

    def tiers(self):
        ends = sorted(self.rng.sample(range(1, 10**7), self.rng.randrange(0, 4)))
        tiers = []
        for end in ends + [None]:
            tier = {"rate": self.rate()}
            if self.rng.random() < 0.3:
                tier["fixed"] = self.amount()
            if end is not None:
                tier[self.rng.choice(["up_to", "below"])] = end
            tiers.append(tier)
        return tiers


def price_words(price):
    words = [f"{float(price['rate']) * 100:g} % (exactly {text(price['rate'])})"]
    if price.get("fixed"):
        words.append(f"plus {price['fixed']}")
    if "min" in price:
        words.append(f"at least {price['min']}")
    if "max" in price:
        words.append(f"at most {price['max']}")
    return " ".join(words)


def price_exact(price, base):
    exact = base * price["rate"] + price.get("fixed", 0)
    if "min" in price:
        exact = max(exact, F(price["min"]))
    if "max" in price:
        exact = min(exact, F(price["max"]))
    return exact


def price_json(price):
    return {key: text(value) if key == "rate" else value for key, value in price.items()}


# --- one payment -----------------------------------------------------------------------------------------------


def matcher(rng, payment):
    """Conditions, of which about half fit the payment."""
    wanted, words = {"currency": payment["currency"]}, []
    if rng.random() < 0.05:
        wanted["currency"] = "EUR"
        words.append("paid in EUR")
    if rng.random() < 0.3:
        wanted["methods"] = [rng.choice(METHODS + ["alipay.*", "*.qr", "card.*"])]
        words.append("by the methods " + ", ".join(wanted["methods"]))
    if rng.random() < 0.2:
        wanted["channels"] = rng.sample(CHANNELS, 2)
        words.append("through " + " or ".join(wanted["channels"]))
    if rng.random() < 0.2:
        wanted["card_types"] = rng.sample(CARDS, 2)
        words.append("with a card of type " + " or ".join(wanted["card_types"]))
    if rng.random() < 0.15:
        wanted["regions"] = rng.sample(REGIONS, 1)
        words.append("from " + wanted["regions"][0])
    if rng.random() < 0.2:
        wanted["amount_min"] = rng.choice([payment["amount"], min(payment["amount"] + 1, MOST), payment["amount"] // 2])
        words.append(f"of at least {wanted['amount_min']}")
    if rng.random() < 0.2:
        most = rng.choice([payment["amount"], min(payment["amount"] * 2, MOST), payment["amount"] // 2])
        wanted["amount_max"] = max(wanted.get("amount_min", 0), most)
        words.append(f"of at most {wanted['amount_max']}")
    return wanted, (" if " + ", ".join(words)) if words else ""


def same_method(pattern, method):
    return all(want in ("*", have) for want, have in zip(pattern.split("."), method.split(".")))


def fits(wanted, payment):
    return (
        wanted["currency"] == payment["currency"]
        and ("methods" not in wanted or any(same_method(one, payment["method"]) for one in wanted["methods"]))
        and ("channels" not in wanted or payment["channel"] in wanted["channels"])
        and ("card_types" not in wanted or payment.get("card_type") in wanted["card_types"])
        and ("regions" not in wanted or payment.get("region") in wanted["regions"])
        and payment["amount"] >= wanted.get("amount_min", 0)
        and payment["amount"] <= wanted.get("amount_max", 10**20)
    )


def some_payment(case):
    rng = case.rng
    payment = {
        "amount": case.paid(),
        "currency": rng.choice(["CNY", "USD", "JPY", "KWD"]),
        "method": rng.choice(METHODS),
        "channel": rng.choice(CHANNELS),
    }
    if rng.random() < 0.6:
        payment["card_type"] = rng.choice(CARDS)
    if rng.random() < 0.6:
        payment["region"] = rng.choice(REGIONS)
    return payment


def some_rule(case, payment, index):
    rng = case.rng
    wanted, condition = matcher(rng, payment)
    rule = {
        "name": f"rule-{index}",
        "code": rng.choice(["processing", "interchange", "scheme", "markup"]),
        "priority": rng.randrange(-2, 3),
        "match": wanted,
        "refund": rng.choice(["keep", "return", "pro_rata"]),
        "base": rng.choice(["amount", "amount", "after_fees"]),
    }
    if rng.random() < 0.7:
        price = case.price()
        rule["charge"], words = {"kind": "flat", **price}, price_words(price)
    else:
        tiers, kind = case.tiers(), rng.choice(["volume", "graduated"])
        rule["charge"] = {"kind": kind, "tiers": tiers}
        if rng.random() < 0.5:
            rule["charge"]["provisional"] = case.rate()
        words = f"{kind} tiers, until the month ends {text(provisional(rule['charge']))}"
    if rng.random() < 0.3:
        rule["tax"] = {"rate": case.rate(0.2)}
        words += f", tax of {text(rule['tax']['rate'])} on it"
    base = "what earlier lines leave, at least nothing," if rule["base"] == "after_fees" else "the amount"
    words = f"[{rule['name']}, {rule['code']}, priority {rule['priority']}] {words} of {base}{condition}"
    return rule, words


def provisional(charge):
    return charge.get("provisional", charge["tiers"][0]["rate"])


def rule_exact(rule, base):
    charge = rule["charge"]
    return price_exact(charge, base) if charge["kind"] == "flat" else base * provisional(charge)


def terms_json(rules, how):
    def plain(value):
        if isinstance(value, F):
            return text(value)
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        if isinstance(value, list):
            return [plain(one) for one in value]
        return value

    return {"rules": plain(rules), "rounding": how}


def lines_of(rules, payment, how):
    """One line for each code: by the first rule that fits, the larger priorities first."""
    lines, left = [], payment["amount"]
    for rule in sorted(rules, key=lambda rule: -rule["priority"]):
        if any(line["code"] == rule["code"] for line in lines) or not fits(rule["match"], payment):
            continue
        base = max(left, 0) if rule["base"] == "after_fees" else payment["amount"]
        exact = rule_exact(rule, base)
        amount = rounded(exact, how)
        left -= amount
        line = {"code": rule["code"], "rule": rule["name"], "amount": amount, "refund": rule["refund"]}
        lines.append({**line, "residue": exact - amount})
        if "tax" in rule:
            exact = amount * rule["tax"]["rate"]
            tax = rounded(exact, how)
            lines.append({**line, "code": "tax", "amount": tax, "residue": exact - tax})
    return lines


def parts_of(rng, whole):
    cuts = sorted(rng.sample(range(1, whole), min(rng.randrange(0, 5), whole - 1))) if whole > 1 else []
    parts = [high - low for low, high in zip([0] + cuts, cuts + [whole])]
    return parts if rng.random() < 0.7 else parts[: rng.randrange(1, len(parts) + 1)]


def given_back(lines, parts, whole):
    """By the words: nothing, all with the last part, or the rounded share so far less what was given before."""
    answers, gone = [], 0
    for part in parts:
        after, answer = gone + part, []
        for line in lines:
            if line["refund"] == "keep":
                continue
            if line["refund"] == "pro_rata":
                share = lambda sum_: rounded(F(line["amount"] * sum_, whole), "half_up")
                answer.append([line["rule"], line["code"], share(gone) - share(after)])
            elif after == whole:
                answer.append([line["rule"], line["code"], -line["amount"]])
        answers.append(answer)
        gone = after
    return answers


def quote_case(rng):
    case = Case(rng)
    payment = some_payment(case)
    made = [some_rule(case, payment, index) for index in range(rng.randrange(1, 6))]
    rules, words = [rule for rule, _ in made], [word for _, word in made]
    how = rng.choice(ROUNDINGS)
    lines = lines_of(rules, payment, how)
    parts = parts_of(rng, payment["amount"])
    about = f"{payment['amount']} {payment['currency']} by {payment['method']} through {payment['channel']}"
    about += f", {payment.get('card_type', 'no')} card, from {payment.get('region', 'nowhere')}"
    return {
        "kind": "quote",
        "words": f"{about}; one line per code, lines rounded {how}: " + "; ".join(words),
        "payment": {**payment, "at": NOW},
        "terms": terms_json(rules, how),
        "lines": [[line["rule"], line["code"], line["amount"], residue(line["residue"])] for line in lines],
        "parts": parts,
        "given_back": given_back(lines, parts, payment["amount"]),
    }


def residue(fraction):
    units = fraction * 10**12
    assert units.denominator == 1
    return units.numerator


# --- one month -------------------------------------------------------------------------------------------------


def graduated(tiers, volume):
    due, start = F(0), 0
    for tier in tiers:
        if volume > start:
            end = tier.get("up_to", tier.get("below"))
            top = volume if end is None else min(volume, end)
            due += (top - start) * tier["rate"] + tier.get("fixed", 0)
            start = top
    return due


def reached(tiers, volume):
    for tier in tiers:
        if "up_to" in tier and volume > tier["up_to"]:
            continue
        if "below" in tier and volume >= tier["below"]:
            continue
        return tier


def month_case(rng):
    case = Case(rng)
    tiers, kind, how = case.tiers(), rng.choice(["volume", "graduated"]), rng.choice(ROUNDINGS)
    charge = {"kind": kind, "tiers": tiers}
    if rng.random() < 0.5:
        charge["provisional"] = case.rate()
    refund = rng.choice(["keep", "pro_rata"])
    ends = [tier.get("up_to", tier.get("below")) for tier in tiers[:-1]]
    payments = [case.paid() % 10**7 + 1 for _ in range(rng.randrange(1, 8))]
    if ends and rng.random() < 0.5:
        # Exactly at a boundary, one below, one above.
        payments = [max(1, rng.choice(ends) + rng.choice([-1, 0, 1]))]
    returned = [payment if rng.random() < 0.2 else 0 for payment in payments]
    charged = [rounded(payment * provisional(charge), how) for payment in payments]
    volume, sum_charged = sum(payments), sum(charged)
    if refund == "pro_rata":
        volume -= sum(returned)
        sum_charged -= sum(one for one, back in zip(charged, returned) if back)
    if kind == "volume":
        tier = reached(tiers, volume)
        due = volume * tier["rate"] + tier.get("fixed", 0)
    else:
        due = graduated(tiers, volume)
    true_up = 0 if volume <= 0 else rounded(due, how) - sum_charged
    shown = ", ".join(
        f"{text(tier['rate'])}" + (f" + {tier['fixed']}" if tier.get("fixed") else "")
        + "".join(f" {key} {tier[key]}" for key in ("up_to", "below") if key in tier)
        for tier in tiers
    )
    rule = {
        "name": "monthly", "code": "processing", "match": {"currency": "CNY"}, "charge": charge, "refund": refund,
    }
    return {
        "kind": "month",
        "words": f"{kind} tiers {shown}; charged {text(provisional(charge))} until the month ends, rounded {how}; "
        f"refunds {'count against the volume' if refund == 'pro_rata' else 'leave the volume'}; "
        "the month's end charges what is due less what was charged",
        "terms": terms_json([rule], how),
        "payments": payments,
        "refunded": returned,
        "charged": charged,
        "true_up": true_up,
    }


# --- one exchange ----------------------------------------------------------------------------------------------


def floor_to_places(fraction):
    return F((fraction * 10**12).__floor__(), 10**12)


def exchange_case(rng):
    base, quote = rng.sample(list(DECIMALS), 2)
    mid = F(rng.randrange(1, 10 ** rng.randrange(2, 7)), 10 ** rng.randrange(0, 5))
    spread = F(rng.randrange(0, 500), 10**4)
    inverted, side = rng.random() < 0.5, rng.choice(["sell", "buy"])
    source, target = (quote, base) if inverted else (base, quote)
    price = floor_to_places(1 / mid) if inverted else mid
    offered = floor_to_places(price * (1 - spread))
    amount = Case(rng).paid() % 10**10 + 1
    # From minor units of one currency to those of the other.
    step = F(10 ** DECIMALS[target], 10 ** DECIMALS[source])
    words = f"{base}/{quote} at {text(mid)}, spread {text(spread)} of it; {side} {amount} minor units, {source} for {target}"
    answer = None
    if price > 0 and offered > 0:
        if side == "sell":
            sold, bought = amount, (amount * offered * step).__floor__()
        else:
            sold, bought = (amount / (offered * step)).__ceil__(), amount
        if bought > 0 and sold < 2**63:
            kept = (sold * price * step).__floor__() - bought
            taken = min(kept, (sold * (price - offered) * step).__floor__())
            answer = {"sold": sold, "bought": bought, "spread": taken, "rounding": kept - taken}
            if kept + bought >= 2**63:
                answer = None
    return {
        "kind": "exchange",
        "words": words + "; the merchant's rate is cut to 12 places and its amount rounded against it",
        "pair": [base, quote],
        "mid": text(mid),
        "spread": text(spread),
        "side": side,
        "given": amount,
        "from": source,
        "to": target,
        "answer": answer,
    }


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rng = random.Random(seed)
    out = sys.stdout
    for _ in range(count):
        draw = rng.random()
        make = quote_case if draw < 0.6 else month_case if draw < 0.85 else exchange_case
        out.write(json.dumps(make(rng), ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
