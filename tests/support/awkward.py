"""Names of folders that shells, Hydra's grammar, YAML and our own commands read as other things."""

from __future__ import annotations

TYPED = (
    *("2024_01_15", "1_1", "1.10", "1e3", "1.e3", "1E+3", ".5", "1.", "-1", "+5", "007", "0x10"),
    *("12", "true", "False", "NULL", "off", "nan", "-Inf", "2024-01-15", "12:30", "x~1", "1e3/a"),
    *("ü中", "ü 中", "😀", "u\u0308#1"),
)
"""Names of folders that need no quotes for Hydra: a text on the command line is what was typed."""
NAMES = (
    # Numbers, and other values of YAML.
    *("2024_01_15", "1.10", "1e3", "007", "0x10", "1_000", "12", "1.", ".5", "-1", "true", "null"),
    *("~", "off", "nan", "2024-01-15", "12:30"),
    # What Hydra's grammar reads.
    *("a(1)", "a,b", "a=b", "a{b}", "{a: 1}", "a[b]", "[a]", "${x}", "\\${oc.env:HOME}", "x:y"),
    *("range(1,4)", "s3:x"),
    # What bash reads.
    *("a b", " a", "a ", "a'b", 'a"b', "a$b", "$HOME", "a`b`", "a\\b", "a\\", "a#b", "#a", "a!b"),
    *("!!", "*", "?", "a;b", "a&b", "a|b", "a>b", "~x", "~root", "'", '"', "''", "\\'", "a\tb"),
    *("a\x1bb!'\\", "a\nb"),
    # What our commands read.
    *("-x", "--help", "+a", "@x", "%20", "extend", "a..b"),
    # Letters outside ASCII, a byte that is no letter, and long names.
    *("ü中", "u\u0308", "😀", "👩\u200d💻", "x\udcff", "\u00a0", "l" * 200, "ü" * 100),
)
