"""How often the forecast's band holds: fitted to the first rounds of real curves, tried on the later ones.

    python -m al_core study --preset quick          # or any other study: real curves in AL_HOME
    python -m tests.benchmarks.forecast [STUDY ...] # without one: the newest

Prints, for each distance in labels (times the labels that were known): how many later rounds, the share of
them inside the 95 % band, half the band's width, and how far its middle was off, in points.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

import numpy as np
import pandas as pd

from al_core.results.analysis import METRICS, Curve, Metric
from al_core.results.forecast import FEWEST_ROUNDS, forecast
from al_core.results.study import study_result
from al_core.settings import Settings
from al_core.store import open_store

DISTANCES = ((1.0, 1.25), (1.25, 1.6), (1.6, 2.0), (2.0, 3.0))


def back_test(curves: Iterable[Curve], metric: Metric) -> pd.DataFrame:
    """One row for each start of a curve and each later round within the forecast's reach."""
    rows = []
    for number, curve in enumerate(curves):
        for known in range(FEWEST_ROUNDS, len(curve.labels)):
            found = forecast(Curve(curve.labels[:known], curve.values[:known]), metric)
            if found is None:
                continue
            later = np.flatnonzero(curve.labels <= found.farthest)[known:]
            middle, low, high = found.band(curve.labels[later])
            gain, half_gain = found.gain(int(curve.labels[known] - curve.labels[known - 1]))
            for place, at in enumerate(later):
                value = curve.values[at]
                rows.append(
                    {
                        "curve": number, "known": known, "distance": curve.labels[at] / found.labels,
                        "covered": low[place] <= value <= high[place],
                        "half": (high[place] - low[place]) / 2, "off": value - middle[place],
                        "gain_off": value - curve.values[known - 1] - gain if at == known else np.nan,
                        "gain_half": half_gain if at == known else np.nan,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def coverage(rows: pd.DataFrame) -> pd.DataFrame:
    """By distance, and over all: number, share covered, half the width, bias and rms of the error."""
    groups = {
        f"{low:g} to {high:g}": rows[(rows["distance"] > low) & (rows["distance"] <= high)]
        for low, high in DISTANCES
    }
    table = {
        name: {
            "n": len(part), "covered": part["covered"].mean(), "half": part["half"].mean(),
            "bias": part["off"].mean(), "rmse": float(np.sqrt((part["off"] ** 2).mean())),
        }
        for name, part in {**groups, "all": rows}.items()
        if len(part)
    }  # fmt: skip
    return pd.DataFrame(table).T


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("studies", nargs="*")
    given = parser.parse_args()
    store = open_store(Settings.from_env())
    try:
        wanted = given.studies or [record.id for record in store.studies()[:1]]
        if not wanted:
            sys.exit("there is no study yet; `python -m al_core study --preset quick` makes one")
        for study_id in wanted:
            result = study_result(store, study_id, METRICS[0].key)
            rows = back_test([c for arm in result.arms for c in arm.curves.values()], result.metric)
            sys.stdout.write(f"{result.name}, {result.metric.title.lower()}\n")
            if rows.empty:
                sys.stdout.write("no curve is long enough\n")
                continue
            table = coverage(rows)
            table[["covered", "half", "bias", "rmse"]] *= 100
            sys.stdout.write(table.round(1).to_string() + "\n")
            each = 100 * rows.groupby("curve")["covered"].mean()
            sys.stdout.write(
                f"{len(each)} curves: {each.mean():.1f} % of a curve's rounds covered, deviation "
                f"{each.std():.1f}, least {each.min():.1f}\n"
            )
            off, half = rows["gain_off"].dropna(), rows["gain_half"].dropna()
            sys.stdout.write(
                f"next batch ({len(off)}): off by {100 * off.mean():+.2f} points, deviation "
                f"{100 * off.std():.2f}, half width {100 * half.mean():.2f}\n"
            )
    finally:
        store.close()


if __name__ == "__main__":
    main()
