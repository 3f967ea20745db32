"""The form for Jupyter: the kernel draws what the reader asks for."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from genbook.kit import looks, svg
from genbook.kit.explore import static
from genbook.kit.explore.frames import Artist


class Explorable(anywidget.AnyWidget):
    r"""A figure that the kernel redraws.

    The page sends its newest wish as ``request`` once the last ``reply`` has arrived, so a burst
    of moves never queues drawings. A drawing that fails is answered with its error, and the last
    good one stays.

    Args:
        artist: draws the frames.
        name: start of the figure's ids.
        caption: HTML.
        spec: what the script needs to know of the controls.
    """

    _esm = static.module()
    _css = looks.style()

    name = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    place: Any = traitlets.List().tag(sync=True)
    drawing = traitlets.Unicode().tag(sync=True)
    request = traitlets.Dict().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)

    def __init__(self, artist: Artist, *, name: str, caption: str, spec: dict[str, Any]) -> None:
        self._artist = artist
        self._caption = caption
        super().__init__(
            name=name,
            spec={**spec, "caption": caption},
            place=list(artist.grid.start),
            drawing=svg.serialise(artist.first),
        )

    def __repr__(self) -> str:
        return f"<Explorable: {self._caption}>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget, and an image of its figure where widgets are not shown."""
        shown = super()._repr_mimebundle_(**options)
        if shown is None:
            return None
        bundle, *details = shown if isinstance(shown, tuple) else (shown,)
        image = self._artist.image(self.place, self._caption)
        bundle = {**bundle, "text/plain": repr(self), "image/png": image}
        return (bundle, *details) if details else bundle

    @traitlets.observe("request")
    def _answer(self, change: Any) -> None:
        request = change["new"]
        place = [int(index) for index in request["place"]]
        reply = {"view": request["view"], "number": request["number"], "place": place, "error": ""}
        try:
            drawing = svg.serialise(self._artist.frame(tuple(place)))
        except (Exception, KeyboardInterrupt) as error:
            self.reply = {**reply, "error": f"{type(error).__name__}: {error}"}
            return
        with self.hold_sync():
            self.drawing = drawing
            self.place = place
            self.reply = reply
