"""Read from a cell's code whether running it again would show something else.

It names the usual culprits only: what a call does inside is found by running (``make twice``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from genbook.kit.cells import tree

MUTATORS = frozenset({"append", "extend", "insert", "pop", "remove", "clear", "update", "add"})
MUTATORS |= {"setdefault", "popitem", "discard", "sort", "reverse", "load_state_dict"}
RANDOM = frozenset({"rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial"})
LAYERS = frozenset({"Linear", "Bilinear", "Embedding", "LSTM", "GRU", "RNN"})
LAYERS |= {"LSTMCell", "GRUCell", "RNNCell", "Conv1d", "Conv2d", "ConvTranspose2d"}
IMPORTS = (ast.Import, ast.ImportFrom)
ONCE = frozenset({"iter", "zip", "map", "filter", "enumerate", "reversed"})
SEEDED = frozenset({"Generator", "manual_seed", "seeded", "default_rng", "Random"})


def culprits(cells: Sequence[str]) -> Iterator[str]:
    """Why a cell is not the same when run twice in a row: cell, name and reason."""
    used_up: set[str] = set()
    modules: set[str] = set()
    for number, code in enumerate(cells):
        body = tree(code)
        imports = [node for node in body.body if isinstance(node, IMPORTS)]
        modules |= {name for node in imports for name in _bound(node)}
        for name, reason in {**_of_others(body, used_up), **_unseeded(body)}.items():
            if name not in modules:
                yield f"code cell {number}: {name} {reason}"
        used_up |= _used_up_by_use(body)


def _of_others(cell: ast.Module, used_up: set[str]) -> dict[str, str]:
    """Names that a cell takes from another one and does not leave as they were."""
    bound = {name for node in cell.body for name in _bound(node)}
    own: set[str] = set()
    found: dict[str, str] = {}
    for node in cell.body:
        foreign = _read(node) - own
        for name in foreign & bound:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef, *IMPORTS)):
                found[name] = "of an earlier cell is read, then bound anew"
        for name in foreign & _changed(node):
            found[name] = "of another cell is changed in place"
        for name in foreign & used_up:
            found[name] = "of another cell is used up: make it in this cell"
        own |= _bound(node)
    return found


def _bound(node: ast.stmt) -> set[str]:
    """Names that a statement binds, not those inside functions and comprehensions."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, IMPORTS):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return {
        part.id
        for part in _outside_of_scopes(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }


def _read(node: ast.stmt) -> set[str]:
    """Names that a statement reads before it has bound them itself, as far as order tells."""
    inner = {p.id for part in _scopes(node) for p in _names(part) if isinstance(p.ctx, ast.Store)}
    inner |= {arg.arg for part in _scopes(node) for arg in _arguments(part)}
    reads = {part.id for part in _names(node) if isinstance(part.ctx, ast.Load)}
    reads |= {part.target.id for part in ast.walk(node) if _adds_to_a_name(part)}
    first = _bound_first(node)
    return reads - inner - first


def _bound_first(node: ast.stmt) -> set[str]:
    """Names that loops, with-blocks and their bodies bind before they read them."""
    found: set[str] = set()
    if isinstance(node, ast.For):
        found |= {name.id for name in _names(node.target)}
    if isinstance(node, ast.With):
        given = [item.optional_vars for item in node.items if item.optional_vars is not None]
        found |= {name.id for part in given for name in _names(part)}
    if isinstance(node, (ast.For, ast.With, ast.While, ast.If)):
        for inner in node.body:
            fresh = _bound(inner) - _read(inner)
            found |= {name for name in fresh if name not in found}
    return found


def _changed(node: ast.stmt) -> set[str]:
    """Names whose object a statement changes in place by what can be read."""
    found: set[str] = set()
    for part in _outside_of_scopes(node):
        if isinstance(part, ast.AugAssign):
            found |= _root(part.target)
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            name = part.func.attr
            if name in MUTATORS or (name.endswith("_") and not name.startswith("_")):
                found |= _root(part.func.value)
    return found


def _used_up_by_use(cell: ast.Module) -> set[str]:
    """Names bound to what every use moves on: random generators and iterators."""
    found: set[str] = set()
    for node in cell.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                found |= _moved_on(target, node.value)
    return found


def _moved_on(target: ast.expr, value: ast.expr) -> set[str]:
    if isinstance(target, ast.Tuple):  # what is unpacked is used up at once
        pairs = zip(target.elts, getattr(value, "elts", ()), strict=False)
        return {name for pair in pairs for name in _moved_on(*pair)}
    kinds = [value.elt] if isinstance(value, ast.ListComp) else getattr(value, "elts", [value])
    moving = any(isinstance(k, ast.GeneratorExp) or _makes_what_moves(k) for k in kinds)
    return {name.id for name in _names(target)} if moving else set()


def _makes_what_moves(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "id", "")
    return name in ONCE or (getattr(node.func, "attr", "") or name) in SEEDED


def _unseeded(cell: ast.Module) -> dict[str, str]:
    """Calls that draw from the global generator in a cell that does not seed it."""
    calls = [part for part in ast.walk(cell) if isinstance(part, ast.Call)]
    if any(ast.unparse(call.func) == "torch.manual_seed" for call in calls):
        return {}
    found = {}
    for call in calls:
        owner, _, name = ast.unparse(call.func).rpartition(".")
        draws = owner == "torch" and name in RANDOM
        draws = draws and "generator" not in {keyword.arg for keyword in call.keywords}
        if draws or (owner in ("nn", "torch.nn") and name in LAYERS):
            found[f"{owner}.{name}"] = "draws from the global generator: seed it in the cell"
    return found


def _outside_of_scopes(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for part in ast.iter_child_nodes(node):
        if not isinstance(part, SCOPES):
            yield from _outside_of_scopes(part)


SCOPES = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _scopes(node: ast.AST) -> list[ast.AST]:
    return [part for part in ast.walk(node) if isinstance(part, SCOPES)]


def _arguments(node: ast.AST) -> Iterator[ast.arg]:
    if isinstance(node, (ast.FunctionDef, ast.Lambda)):
        yield from (part for part in ast.walk(node.args) if isinstance(part, ast.arg))


def _names(node: ast.AST) -> Iterator[ast.Name]:
    return (part for part in ast.walk(node) if isinstance(part, ast.Name))


def _adds_to_a_name(node: ast.AST) -> bool:
    return isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)


def _root(node: ast.expr) -> set[str]:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()
