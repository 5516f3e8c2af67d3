"""From ZQL's text to statements: `parse`, a recursive descent over the tokens.

``and`` binds closer than ``or``, as in SQL. Clauses come in one order: where, restrict by, return with,
group by, order by, limit, offset, named as.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from zstack_appliance.kernel.conditions import DEFAULT_LIMIT, MAX_CONDITIONS, And, Cond, Op, Or, Term, Within
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.zql.lexer import Kind, Token, tokens
from zstack_appliance.kernel.zql.syntax import Restriction, Statement, Verb

T = TypeVar("T")

MAX_TEXT = 64 * 1024
"""Characters in one text; as much as HTTP servers take in an address."""

MAX_STATEMENTS = 32
"""Statements in one text. Each is a query of its own."""

MAX_DEPTH = 24
"""Parentheses and sub-queries inside one another. SQLite takes expressions 1,000 deep; people write three."""


def parse(text: str) -> tuple[Statement, ...]:
    """The statements of a text.

    Raises:
        InvalidArgument: it is not ZQL, or too large; it says where and what would do.
    """
    if len(text) > MAX_TEXT:
        raise InvalidArgument(f"zql takes at most {MAX_TEXT} characters, but got {len(text)}; send several calls")
    return _Parser(list(tokens(text))).text()


class _Parser:
    """Reads tokens from the left; each method reads what it is named after."""

    def __init__(self, read: list[Token]) -> None:
        self._tokens = read
        self._at = 0
        self._depth = 0
        self._conditions = 0

    def text(self) -> tuple[Statement, ...]:
        found: list[Statement] = []
        while not self._ended():
            found.append(self._statement())
            if len(found) > MAX_STATEMENTS:
                raise InvalidArgument(f"zql takes at most {MAX_STATEMENTS} statements; send several calls")
            if not self._took(";") and not self._ended():
                raise self._wrong("a clause that may stand here, or ;")
        if not found:
            raise self._wrong("query, count or sum")
        return tuple(found)

    # --- statements ------------------------------------------------------------------------------------

    def _statement(self) -> Statement:
        verb = next((each for each in Verb if self._took(each.value)), None)
        if verb is None:
            raise self._wrong("query, count or sum")
        target = self._name("a resource such as vmInstance")
        fields = self._listed(self._path) if self._took(".") else ()
        if verb is Verb.SUM:
            return self._sum(target, fields)
        where = self._condition() if self._took("where") else And()
        restrict = self._inside(self._restriction) if self._took("restrict", "by") else ()
        returned = self._inside(self._returned) if verb is Verb.QUERY and self._took("return", "with") else ()
        group_by = self._listed(self._path) if self._took("group", "by") else ()
        sort, descending = self._order()
        limit = self._number("limit", DEFAULT_LIMIT)
        offset = self._number("offset", 0)
        if self._took("filter", "by"):
            raise InvalidArgument("zql: no filter exists for [filter by]; use conditions behind where")
        return Statement(
            verb, target, fields, where, restrict, bool(returned), group_by, sort, descending, limit, offset,
            self._named(),
        )  # fmt: skip

    def _sum(self, target: str, fields: tuple[str, ...]) -> Statement:
        if not fields:
            raise self._wrong("a dot and the fields to add up")
        self._expect("by")
        by = (self._path(),)
        where = self._condition() if self._took("where") else And()
        return Statement(Verb.SUM, target, fields, where, group_by=by, name=self._named())

    def _restriction(self) -> Restriction:
        target = self._name("a resource such as zone")
        self._expect(".")
        field = self._name("a field")
        op = self._operator()
        return Restriction(target, field, op, self._value(op))

    def _returned(self) -> str:
        if not self._took("total"):
            raise self._wrong("total, the only thing that this version returns with a query")
        return "total"

    def _order(self) -> tuple[str | None, bool]:
        if not self._took("order", "by"):
            return None, False
        sort = self._path()
        descending = self._took("desc")
        if not descending:
            self._took("asc")
        return sort, descending

    def _named(self) -> str | None:
        if not self._took("named", "as"):
            return None
        if self._here.kind is not Kind.TEXT:
            raise self._wrong("a name in quotes")
        return self._next().text

    # --- conditions ------------------------------------------------------------------------------------

    def _condition(self) -> Term:
        terms = [self._all()]
        while self._took("or"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def _all(self) -> Term:
        terms = [self._single()]
        while self._took("and"):
            terms.append(self._single())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _single(self) -> Term:
        if self._took("("):
            return self._deeper(self._condition)
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise InvalidArgument(f"zql takes at most {MAX_CONDITIONS} conditions; put values into one list")
        path = self._path()
        if self._took("has"):
            return And(tuple(Cond(path, Op.EQ, value) for value in self._values()))
        if self._took("not", "has"):
            return Or(tuple(Cond(path, Op.NE, value) for value in self._values()))
        op = self._operator()
        if op.takes_list and self._is_subquery():
            return self._deeper(lambda: self._subquery(path, op))
        return Cond(path, op, self._value(op))

    def _is_subquery(self) -> bool:
        return self._here.word == "(" and self._tokens[self._at + 1].word == "query" and bool(self._next())

    def _subquery(self, path: str, op: Op) -> Within:
        self._expect("query")
        target = self._name("a resource such as host")
        self._expect(".")
        field = self._path()
        where = self._condition() if self._took("where") else And()
        return Within(path, op, target, field, where)

    def _operator(self) -> Op:
        for words in _OPERATORS:
            if self._took(*words):
                return _OPERATORS[words]
        raise self._wrong(f"an operator: one of {', '.join(op.value for op in Op)}")

    def _value(self, op: Op) -> str | tuple[str, ...]:
        if not op.takes_value:
            return ""
        return self._values() if op.takes_list else self._literal()

    def _values(self) -> tuple[str, ...]:
        if self._took("list", "(") or self._took("("):
            return self._rest_inside(self._literal)
        return (self._literal(),)

    def _literal(self) -> str:
        here = self._here
        if here.kind in (Kind.TEXT, Kind.NUMBER) or here.word in ("true", "false"):
            return self._next().text
        raise self._wrong("a value: a text in quotes, a number, true or false")

    # --- pieces ----------------------------------------------------------------------------------------

    def _path(self) -> str:
        names = [self._name("a field")]
        while self._took("."):
            names.append(self._name("a field"))
        return ".".join(names)

    def _name(self, wanted: str) -> str:
        if self._here.kind is not Kind.NAME:
            raise self._wrong(wanted)
        return self._next().text

    def _number(self, keyword: str, default: int) -> int:
        if not self._took(keyword):
            return default
        here = self._here
        if here.kind is not Kind.NUMBER or not here.text.isdecimal() or len(here.text) > 18:
            raise self._wrong("a whole number from 0")
        return int(self._next().text)

    def _listed(self, read: Callable[[], T]) -> tuple[T, ...]:
        found = [read()]
        while self._took(","):
            found.append(read())
        return tuple(found)

    def _inside(self, read: Callable[[], T]) -> tuple[T, ...]:
        self._expect("(")
        return self._rest_inside(read)

    def _rest_inside(self, read: Callable[[], T]) -> tuple[T, ...]:
        found = self._listed(read)
        self._expect(")")
        return found

    def _deeper(self, read: Callable[[], T]) -> T:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise InvalidArgument(f"zql takes at most {MAX_DEPTH} parentheses inside one another")
        found = read()
        self._expect(")")
        self._depth -= 1
        return found

    @property
    def _here(self) -> Token:
        return self._tokens[self._at]

    def _ended(self) -> bool:
        return self._here.kind is Kind.END

    def _next(self) -> Token:
        token = self._here
        self._at += 1
        return token

    def _took(self, *words: str) -> bool:
        """Whether these words stand here; then they are read."""
        here = self._tokens[self._at : self._at + len(words)]
        if tuple(token.word for token in here) != words:
            return False
        self._at += len(words)
        return True

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise self._wrong(word)

    def _wrong(self, wanted: str) -> InvalidArgument:
        here = self._here
        found = f"[{here.text[:40]}]" if here.kind is not Kind.END else "the end"
        return InvalidArgument(f"zql is wrong at character {here.at + 1}: expected {wanted}, but found {found}")


# Older clients write the negation of "is null" without its first word.
_OPERATORS = {tuple(op.value.split()): op for op in Op} | {("not", "null"): Op.NOT_NULL}
