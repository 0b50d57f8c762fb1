"""What pages have in common: HTML files that need nothing beside them and ask no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template


def page_template(package: str) -> Template:
    """`page.html.j2` of a package; whatever is put into it is escaped.

    It may include the files beside it, and `look.css` from here.
    """
    # 40 ms that only the making of a page has to have.
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loaders = [PackageLoader(package, "."), PackageLoader("depthmask.reports", ".")]
    environment = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
