"""The report as one page: self-contained, no script, made to be read by a support lead."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from hashlib import sha256
from html import escape
from typing import Final

from handrail.prove.backtest.charts import Series, columns, legend, stacked
from handrail.prove.backtest.fate import FATES, Fate
from handrail.prove.backtest.report import (
    FATE_WORDS,
    LATER_WORDS,
    date_of,
    day_text,
    figures_of,
    groups_of,
    money_by_day,
    money_text,
    ratio,
)
from handrail.prove.backtest.tally import DAY_MS, Forecast

__all__ = ["page_of", "sections_of"]

KINDS_MAX: Final = 24

_CSS: Final = """\
:root{color-scheme:light dark;--bg:#fff;--fg:#1a1f24;--soft:#5a6570;--line:#d4dae0;--card:#f5f7f9;
--s0:#2f6fb2;--s1:#d9822b;--s2:#7a5bb5;--s3:#2a9d8f;--s4:#c0392b;--s5:#8c2f39;--s6:#b59f3b;
--s7:#7f8c8d}
@media (prefers-color-scheme:dark){:root{--bg:#14181c;--fg:#e8ecef;--soft:#a3adb7;--line:#38424b;
--card:#1d2329;--s0:#6ba6e0;--s1:#f0a860;--s2:#b39ae0;--s3:#5cc7ba;--s4:#f07f72;--s5:#d98a94;
--s6:#dbc873;--s7:#aab5b6}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:60rem;background:var(--bg);color:var(--fg);
font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .3rem}
p{margin:.3rem 0}.soft,caption{color:var(--soft)}
svg{display:block;width:100%;height:auto;margin:.5rem 0}
.tick{fill:var(--soft);font-size:12px}.grid{stroke:var(--line)}
.s0{fill:var(--s0)}.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}
.s4{fill:var(--s4)}.s5{fill:var(--s5)}.s6{fill:var(--s6)}.s7{fill:var(--s7)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;margin:.4rem 0}
.legend li{display:flex;align-items:center;gap:.4rem}.key{width:.8rem;height:.8rem;margin:0}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--soft);font-weight:600}td{font-variant-numeric:tabular-nums}
summary{cursor:pointer;color:var(--soft)}
.note{background:var(--card);border-left:4px solid var(--s1);padding:.6rem .8rem;margin:1rem 0}
"""


def page_of(outcome: Forecast, reviewers: int, against: Forecast | None = None) -> str:
    """The whole page. Its own rules let it load nothing, and nothing in it is a script."""
    seal = b64encode(sha256(_CSS.encode()).digest()).decode()
    body = _head(outcome, against) + sections_of(outcome, reviewers, against)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="'
        f"default-src 'none'; style-src 'sha256-{seal}'; base-uri 'none'; form-action 'none'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Backtest of {escape(outcome.policy)}</title><style>{_CSS}</style></head>\n"
        f"<body><main>{body}</main></body></html>\n"
    )


def sections_of(outcome: Forecast, reviewers: int, against: Forecast | None = None) -> str:
    """What the page says below its head, for another page that has a style for it."""
    both = [outcome] if against is None else [outcome, against]
    # The same colour for the same fate in both.
    shown = [fate for fate in FATES if any(one.count(fate) for one in both)]
    body = [
        _figures(outcome, reviewers, against),
        _prompts(both, reviewers),
        *(_value(both, currency) for currency in _currencies(both)),
        *(_fates(one, shown, len(both) > 1) for one in both),
        *(_groups(one, len(both) > 1) for one in both),
        _rest(outcome),
    ]
    return "".join(body)


def _head(outcome: Forecast, against: Forecast | None) -> str:
    said = f"What the policy <b>{escape(outcome.policy)}</b> ({outcome.digest[:12]}) "
    if outcome.actions:
        span = f"{date_of(outcome.first_at)} to {date_of(outcome.last_at)}"
        said += f"would have done with {outcome.actions} recorded actions, {span}"
    else:
        said += "would have done: the traffic is empty"
    if against is not None:
        said += f", beside <b>{escape(against.policy)}</b> ({against.digest[:12]})"
    notes = ""
    if outcome.unread:
        notes = (
            f'<p class="note">{outcome.unread} actions have checks and came without the facts that'
            " those read, so they count as failed. Record the traffic with its content.</p>"
        )
    return f"<h1>Backtest</h1><p>{said}.</p>{notes}"


def _figures(outcome: Forecast, reviewers: int, against: Forecast | None) -> str:
    people = "one reviewer" if reviewers == 1 else f"{reviewers} reviewers"
    head = ["Figure", outcome.policy, *([] if against is None else [against.policy])]
    other = {} if against is None else dict(figures_of(against, reviewers))
    mine = figures_of(outcome, reviewers)
    names = [name for name, _ in mine] + [name for name in other if name not in dict(mine)]
    rows = []
    for name in names:
        cells = [dict(mine).get(name, "none")]
        if against is not None:
            cells.append(other.get(name, "none"))
        rows.append([name, *cells])
    return (
        f'<h2>In short</h2><p class="soft">For {people}. Nobody looked at what ran alone: its money'
        " is the value at risk.</p>" + _table(head, rows)
    )


def _prompts(both: list[Forecast], reviewers: int) -> str:
    first = min(one.first_at for one in both) // DAY_MS
    last = max(
        [day for one in both for day in one.prompts] + [one.last_at // DAY_MS for one in both]
    )
    days = list(range(first, last + 1))
    series = [
        Series(
            name=one.policy if len(both) > 1 else "prompts",
            values=tuple(one.prompts.get(day, 0) for day in days),
            texts=tuple(ratio(one.prompts.get(day, 0), reviewers) for day in days),
        )
        for one in both
    ]
    chart = columns([day_text(day) for day in days], series, title="Prompts per reviewer, by day")
    return f"<h2>Prompts per reviewer, by day</h2>{_key(series)}{chart}"


def _currencies(both: list[Forecast]) -> list[str]:
    found = {name for one in both for name, minor in one.money(Fate.ALONE).items() if minor}
    return sorted(found)


def _value(both: list[Forecast], currency: str) -> str:
    days = list(range(both[0].first_at // DAY_MS, both[0].last_at // DAY_MS + 1))
    series = []
    for one in both:
        money = money_by_day(one, currency)
        values = tuple(money.get(day, 0) for day in days)
        texts = tuple(money_text(value, currency) for value in values)
        name = one.policy if len(both) > 1 else "ran alone"
        series.append(Series(name=name, values=values, texts=texts))
    title = f"Value at risk in {currency}: what ran alone, by day"
    chart = columns([day_text(day) for day in days], series, title=title)
    return f"<h2>{title}</h2>{_key(series)}{chart}"


def _fates(outcome: Forecast, shown: list[str], named: bool) -> str:
    counts: dict[str, Counter[str]] = {}
    for line in outcome.lines:
        counts.setdefault(line.kind, Counter())[line.fate] += line.n
    kinds = sorted(counts, key=lambda kind: (-counts[kind].total(), kind))[:KINDS_MAX]
    series = [
        Series(
            name=FATE_WORDS[fate],
            values=tuple(counts[kind][fate] for kind in kinds),
            texts=tuple(str(counts[kind][fate]) for kind in kinds),
        )
        for fate in shown
    ]
    title = "What became of them, by kind" + (f": {outcome.policy}" if named else "")
    chart = stacked(kinds, series, title=title, first="Kind")
    return f"<h2>{escape(title)}</h2>{_key(series)}{chart}"


def _groups(outcome: Forecast, named: bool) -> str:
    head = ["Kind", "Band", "Control", "Grade", "Actions", "What became of them", "Money"]
    rows = []
    for group in groups_of(outcome):
        control = group.control + (f", {group.checkers} checkers" if group.checkers else "")
        fates = ", ".join(
            f"{group.fates[fate]} {FATE_WORDS[fate]}" for fate in FATES if fate in group.fates
        )
        rows.append(
            [group.kind, group.band, control, group.grade, str(group.n), fates, group.money]
        )
    title = "By kind, band and control" + (f": {outcome.policy}" if named else "")
    return f"<h2>{escape(title)}</h2>" + _table(head, rows)


def _rest(outcome: Forecast) -> str:
    rows = [[f"The cap {name} was met full", str(count)] for name, count in outcome.trips.items()]
    rows += [
        [f"After waiting, {LATER_WORDS.get(name, name)}", str(count)]
        for name, count in outcome.later.items()
    ]
    return "<h2>Caps and waiting</h2>" + _table(["What happened", "Times"], rows) if rows else ""


def _key(series: list[Series]) -> str:
    return legend([one.name for one in series]) if len(series) > 1 else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr>{names}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
