"""Loads the templates of pages: HTML files that need no other file and no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from depthmask.untrusted import visible

if TYPE_CHECKING:
    from jinja2 import Template


def page_template(package: str) -> Template:
    """The template `page.html.j2` of a package, which escapes all values.

    The template can include files of its package, and `look.css` of `depthmask.reports`.
    """
    # Imported here, since the import takes 40 ms and only pages need it.
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loaders = [PackageLoader(package, "."), PackageLoader("depthmask.reports", ".")]
    environment = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def _visible(value: Any) -> Any:
    """The value with the control characters in a text of a dataset visible; HTML of ours as it is.

    A browser obeys those that turn the direction of a text.
    """
    return visible(value) if type(value) is str else value
