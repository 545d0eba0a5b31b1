"""Prints the results of the checks in a folder as one table: python3 table.py OUT. A check without a result is named with its reason."""
import csv
import json
import os
import re
import sys

OUT = sys.argv[1]


def read(name):
    try:
        with open(os.path.join(OUT, name), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def numbers(check):
    """The numbers of the last line of JSON that a check printed."""
    for line in reversed(read(check + ".out").splitlines()):
        if line.startswith("{"):
            try:
                return json.loads(line)
            except ValueError:
                return None
    return None


def failure(check):
    state = read(check + ".state").strip() or "not run"
    reason = (read(check + ".err").strip() or read(check + ".out").strip()).splitlines()
    return f"NO RESULT ({state}{': ' + reason[-1][:160] if reason else ''})"


def pair(values, digits):
    return " and ".join(f"{value:.{digits}f}" for value in values)


def row(check, title, text):
    try:
        value = text(numbers(check))
    except (TypeError, KeyError, AttributeError, ValueError):
        value = failure(check)
    print(f"{title:34} {value}")


def fooled(values):
    return (f"{values['notFooledOnCpu']} of {values['fooled']} reported as fooled are not fooled on the CPU; {values['attacked']} attacked, "
            f"{values['unconfirmed']} rejected by the confirmation; mean relative {values['meanRelativeNormalized']:.4%} (normalized)")


def speed(goal):
    return lambda values: (
        f"{pair(values['attackMs'], 3)} ms an image, bare pass {pair(values['bareMs'], 4)} ms, {values['forwards']:.1f} F + {values['backwards']:.1f} B: "
        f"ratio {pair(values['ratio'], 2)}{goal}; with reading and confirmation of the evaluation {values['evaluationMs']:.3f} ms; {values['attacked']} attacked, {values['fooled']} fooled")


def repeat(values):
    return (f"mean relative {' and '.join(f'{mean:.4%}' for mean in values['meanRelative'])}; fooled in one run only: {values['fooledInOneRun']}; "
            f"another length by more than 0.1 %: {values['otherLength']} of {values['fooled']}; difference of length: median {values['medianDifference']:.1e}, mean {values['meanDifference']:.1e}")


def tests(check):
    counts = re.findall(r"Total: (\d+).*?Errors: (\d+), Failed: (\d+), Skipped: (\d+)", read(check + ".out"))
    if not counts:
        return failure(check)
    total, errors, failed, skipped = counts[-1]
    return f"{total} tests, {int(errors) + int(failed)} failed, {skipped} skipped"


def epochs(check):
    rows = list(csv.DictReader(read(check + "-history.csv").splitlines()))
    if not rows:
        return failure(check)
    return f"{' and '.join(row['seconds'] for row in rows)} s an epoch; waiting for data {' and '.join(row['waiting'] for row in rows)} of it"


gpu = read("gpu.txt").strip()
print(gpu or "no GPU named by nvidia-smi")
print("\n".join(line for line in read("doctor.out").splitlines() if re.match("brink |libtorch|devices|TF32|symbol|processors", line)) or failure("doctor"))
print(read("find-libtorch.out").strip() or failure("find-libtorch"))
print()
for norm in ("l2", "linf"):
    row(f"fooled-{norm}", f"ResNet-20, lossless, {norm}", fooled)
for norm in ("l2", "linf"):
    row(f"fooled-tf32-{norm}", f"ResNet-20, lossless, {norm}, --tf32", fooled)
for network, goal in (("resnet20", " (goal 1.50)"), ("resnet50", " (goal 1.25)")):
    for norm in ("l2", "linf"):
        row(f"speed-{network}-{norm}", f"{network}, {norm}, time", speed(goal))
        row(f"speed-{network}-{norm}", f"{network}, {norm}, run to run", repeat)
for network in ("resnet20", "resnet50"):
    row(f"speed-tf32-{network}-l2", f"{network}, l2, --tf32, time", speed(""))
row("attack", "brink attack, batch of 500", lambda _: (lambda r: f"{r['fooled']} of {r['attacked']} fooled, {1000 * r['secondsPerImage']:.2f} ms an image with start-up; {r['options'].get('device')}, tf32 {r['options'].get('tf32')}")(json.loads(read("attack.out"))))
print(f"{'brink train, ResNet-18':34} {epochs('train')}")
print(f"{'brink train, ResNet-18, --tf32':34} {epochs('train-tf32')}")
for project in ("Brink.Tests", "Brink.Evaluation.Tests", "Brink.Cli.Tests"):
    print(f"{project:34} {tests('tests-' + project)}")
