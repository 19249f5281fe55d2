"""Tables from files: what is read, what is said about it, and the one sentence a file that cannot be used gets."""

import json
from pathlib import Path

import numpy as np
import pytest

from wengert.errors import ArgumentError, DataError, FileFormatError
from wengert.train.tables import Column, Schema, Table, read_rows, read_table

FRUIT = """size,colour,sort
1.0,red,apple
2.0,green,apple
NA,red,apple
4.0,red,pear
5.0,,pear
6.0,green,pear
7.0,green,pear
8.0,red,apple
9.0,red,apple
10.0,red,pear
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="table.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def refusal(call, *arguments, **settings):
    """The sentence of the DataError that a call ends in."""
    with pytest.raises(DataError) as caught:
        call(*arguments, **settings)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith((".", "?"))
    return sentence


def columns(*pairs):
    """A file's text from (name, cells) pairs."""
    rows = zip(*([name, *cells] for name, cells in pairs), strict=True)
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def line_target(n=30):
    return ("y", [value / 8 + 0.3 for value in range(n)])


# ---------------------------------------------------------------------------------------------------- reading


def test_a_table_becomes_numbers_with_medians_and_one_hot_levels(write):
    table = read_table(write(FRUIT), "sort")
    schema = table.schema
    assert schema.feature_names == ("size", "colour=green", "colour=red")
    assert (schema.task, schema.classes) == ("classification", ("apple", "pear"))
    # By hand: the median of 1 2 4 5 6 7 8 9 10 is 6; red is the most frequent colour.
    size = [1, 2, 6, 4, 5, 6, 7, 8, 9, 10]
    green = [0, 1, 0, 0, 0, 1, 1, 0, 0, 0]
    expected = np.array([size, green, np.subtract(1, green)], np.float32).T
    assert table.x.dtype == np.float32
    np.testing.assert_array_equal(table.x, expected)
    assert table.y.dtype == np.int64
    assert table.y.tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0, 1]
    assert table.lines.tolist() == list(range(2, 12))
    np.testing.assert_allclose(schema.mean, [5.8, 0.3, 0.7], rtol=1e-6)
    np.testing.assert_allclose(schema.std, [np.sqrt(7.56), np.sqrt(0.21), np.sqrt(0.21)], rtol=1e-6)
    assert table.notes == (
        "column 'size': 1 missing, now the median: line 4",
        "column 'colour': 1 missing, now the most frequent level: line 6",
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_delimiters_and_line_endings_do_not_matter(write, delimiter, ending):
    text = FRUIT.replace(",", delimiter).replace("\n", ending)
    np.testing.assert_array_equal(read_table(write(text), "sort").x, read_table(write(FRUIT, "other.csv"), "sort").x)


def test_a_byte_order_mark_blank_lines_and_spaces_are_read_over(write):
    text = "\ufeff" + FRUIT.replace("red,apple", " red , apple").replace("4.0", "\n\n ,,\n4.0")
    table = read_table(write(text), "sort")
    np.testing.assert_array_equal(table.x, read_table(write(FRUIT, "other.csv"), "sort").x)
    assert table.lines.tolist() == [2, 3, 4, 8, 9, 10, 11, 12, 13, 14]


def test_quoted_delimiters_and_line_ends_belong_to_their_cell(write):
    rows = "".join(f'"a, {i % 2}",{i},{i % 2}\n' for i in range(10))
    table = read_table(write('kind,"the\nsize",y\n' + rows), "y")
    assert table.schema.feature_names == ("kind=a, 0", "kind=a, 1", "the\nsize")
    assert table.lines.tolist() == list(range(3, 13))


def test_a_comma_is_a_decimal_point_where_semicolons_divide(write):
    rows = "".join(f"{i},5;-{i},25e1;{i % 2}\n" for i in range(10))
    table = read_table(write("a;b;y\n" + rows), "y")
    np.testing.assert_array_equal(table.x[:3], [[0.5, -2.5], [1.5, -12.5], [2.5, -22.5]])


@pytest.mark.parametrize("token", ["", "NA", "n/a", "NaN", "null", "?"])
def test_every_missing_token_is_filled_and_counted(write, token):
    cells = [token if i in (3, 5) else i for i in range(12)]
    table = read_table(write(columns(("x", cells), ("y", "ab" * 6))), "y")
    assert table.x[3, 0] == table.x[5, 0] == 6.5  # the median of 0 1 2 4 6 7 8 9 10 11
    assert table.notes == ("column 'x': 2 missing, now the median: line 5, line 7",)


def test_bad_rows_are_skipped_and_named_by_line(write):
    x = [str(i) for i in range(40)]
    x[3], x[9], x[20], x[21] = "oops", "inf", "1_0", "1e39"
    text = columns(("x", x), ("y", "ab" * 20)).replace("\n6,a\n", "\n6,a,a\n")
    table = read_table(write(text), "y")
    assert len(table.x) == 35
    assert np.isfinite(table.x).all()
    assert not {5, 8, 11, 22, 23} & set(table.lines.tolist())
    assert table.notes == (
        "skipped 5 of 40 rows: line 5 (column 'x': 'oops' is not a number), line 8 (3 fields, expected 2), "
        "line 11 (column 'x': 'inf' is not finite in float32), line 22 (column 'x': '1_0' is not a number), "
        "line 23 (column 'x': '1e39' is not finite in float32)",
    )


def test_long_lists_of_lines_are_cut_short_and_counted(write):
    cells = ["?" if i < 8 else i for i in range(30)]
    notes = read_table(write(columns(("x", cells), ("y", "ab" * 15))), "y").notes
    assert notes == ("column 'x': 8 missing, now the median: line 2, line 3, line 4, line 5, line 6 and 3 more",)


def test_columns_that_cannot_be_learned_from_are_dropped_with_a_reason(write):
    n = 30
    text = columns(
        ("customer_id", range(100, 100 + n)),
        ("x", [i / 2 for i in range(n)]),
        ("name", [f"person {i}" for i in range(n)]),
        ("unit", ["cm"] * n),
        ("zero", [0] * n),
        ("nothing", ["NA"] * n),
        ("y", "ab" * 15),
    )
    table = read_table(write(text), "y")
    assert table.schema.feature_names == ("x",)
    assert table.notes == (
        "columns dropped: 'customer_id' (an identifier), 'name' (free text or an identifier), "
        "'unit' (one value only), 'zero' (one value only), 'nothing' (no values)",
    )


def test_a_text_column_of_too_many_levels_is_dropped(write):
    levels = [f"level {i % 51}" for i in range(204)]
    allowed = [f"level {i % 50}" for i in range(204)]
    table = read_table(write(columns(("many", levels), ("enough", allowed), ("y", "ab" * 102))), "y")
    assert len(table.schema.feature_names) == 50
    assert table.schema.columns[0].name == "enough"


def test_a_numeric_column_named_like_an_identifier_stays_when_values_repeat(write):
    table = read_table(write(columns(("grid", range(12)), ("id", [1, 2] * 6), ("y", "ab" * 6))), "y")
    assert table.schema.feature_names == ("grid", "id")


# ------------------------------------------------------------------------------------------------------ target


@pytest.mark.parametrize(
    ("target", "task", "classes"),
    [
        ([i % 3 for i in range(30)], "classification", ("0", "1", "2")),
        (["10", "9", "-0"] * 10, "classification", ("0", "9", "10")),
        (["1.0", "1", "2"] * 10, "classification", ("1", "2")),
        (["no", "yes", "yes"] * 10, "classification", ("no", "yes")),
        (range(30), "regression", ()),
        ([i % 11 for i in range(30)], "regression", ()),
        ([0.5, 1.5, 2.5] * 10, "regression", ()),
    ],
)
def test_the_task_is_inferred_from_the_target(write, target, task, classes):
    schema = read_table(write(columns(("x", range(30)), ("y", target))), "y").schema
    assert (schema.task, schema.classes) == (task, classes)


def test_the_inferred_task_can_be_overridden(write):
    path = write(columns(("x", range(30)), ("y", [i % 3 for i in range(30)])))
    guess = read_table(path, "y")
    assert guess.notes == ("target read as classification: it holds 3 different whole numbers",)
    table = read_table(path, "y", task="regression")
    assert (table.schema.task, table.y.shape, table.y.dtype) == ("regression", (30, 1), np.float32)
    np.testing.assert_array_equal(table.y[:4, 0], [0, 1, 2, 0])
    np.testing.assert_allclose([table.schema.target_mean, table.schema.target_std], [1, np.sqrt(2 / 3)], rtol=1e-12)
    halves = write(columns(("x", range(30)), ("y", [0.5, 1.5, 2.5] * 10)))
    labelled = read_table(halves, "y", task="classification")
    assert labelled.schema.classes == ("0.5", "1.5", "2.5")
    assert table.notes == labelled.notes == ()


def test_a_text_in_a_numeric_target_costs_its_row(write):
    cells = [*line_target()[1][:-1], "soon"]
    table = read_table(write(columns(("x", range(30)), ("y", cells))), "y")
    assert len(table.y) == 29
    assert "line 31 (column 'y': 'soon' is not a number)" in table.notes[0]


def test_statistics_can_be_learned_from_the_training_rows_alone(write):
    table = read_table(write(FRUIT), "sort")
    part = table.learned_from(np.array([0, 1, 2, 3]))
    size, colour = part.schema.columns
    assert (size.fill, colour.fill) == (2.0, "red")
    np.testing.assert_array_equal(part.x[:, 0], [1, 2, 2, 4, 5, 6, 7, 8, 9, 10])
    np.testing.assert_allclose(part.schema.mean, [2.25, 0.25, 0.75], rtol=1e-6)
    assert colour.levels == table.schema.columns[1].levels
    np.testing.assert_array_equal(part.y, table.y)


def test_a_column_constant_or_empty_in_the_training_rows_has_deviation_one(write):
    cells = ["NA", "NA", "0.1", "0.1", *range(26)]
    table = read_table(write(columns(("x", cells), line_target())), "y")
    empty, constant = table.learned_from(np.array([0, 1])), table.learned_from(np.array([2, 3]))
    assert (empty.schema.mean.tolist(), empty.schema.std.tolist()) == ([0.0], [1.0])
    assert constant.schema.std.tolist() == [1.0]
    np.testing.assert_allclose(constant.schema.target_mean, 0.6125, rtol=1e-7)


# ------------------------------------------------------------------------------------------------------ schema


def test_the_schema_survives_json_and_encodes_the_same(write):
    table = read_table(write(FRUIT), "sort")
    schema = Schema.from_json(table.schema.to_json())
    assert schema == table.schema
    np.testing.assert_array_equal(schema.encode(table.cells), table.x)
    assert {column["name"] for column in json.loads(schema.to_json())["columns"]} == {"size", "colour"}


def test_encode_refuses_rows_that_do_not_fit():
    schema = Schema((Column("size", 2.0, (), (0.0,), (1.0,)),), "y", "regression")
    assert refusal(schema.encode, [["1"], ["1", "2"]]) == "encode: rows[1] has 2 cells; expected 1."
    sentence = refusal(schema.encode, [["1"], ["tall"]])
    assert sentence == "encode: rows[1], column 'size': 'tall' is not a number; pass finite numbers."


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fields: fields.clear(),
        lambda fields: fields.update(columns=[]),
        lambda fields: fields.update(columns=3),
        lambda fields: fields.update(task="sorting"),
        lambda fields: fields.update(classes=[]),
        lambda fields: fields.update(colour="red"),
        lambda fields: fields["columns"][0].update(fill="red"),
        lambda fields: fields["columns"][1].update(mean=[0.5]),
    ],
)
def test_a_damaged_schema_is_refused(write, spoil):
    fields = json.loads(read_table(write(FRUIT), "sort").schema.to_json())
    spoil(fields)
    with pytest.raises(FileFormatError, match="table schema is damaged"):
        Schema.from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_text_that_is_no_schema_is_refused(text):
    with pytest.raises(FileFormatError, match="table schema is damaged"):
        Schema.from_json(text)


# --------------------------------------------------------------------------------------------------- prediction


@pytest.fixture
def fruit(write) -> Table:
    return read_table(write(FRUIT, "fruit.csv"), "sort")


def test_prediction_rows_are_read_as_training_rows_were(write, fruit):
    rows = read_rows(write(FRUIT, "again.csv"), fruit.schema)
    np.testing.assert_array_equal(rows.x, fruit.x)
    assert rows.lines.tolist() == fruit.lines.tolist()
    assert rows.notes == fruit.notes


def test_prediction_finds_columns_by_name_and_says_what_it_could_not_use(write, fruit):
    text = "colour;weight;size\nred;1;2,5\nblue;1;NA\n;1;7\ngreen;1;8\ngreen;1;9\nred;1;big\n"
    rows = read_rows(write(text), fruit.schema)
    np.testing.assert_array_equal(rows.x, [[2.5, 0, 1], [6, 0, 0], [7, 0, 1], [8, 1, 0], [9, 1, 0]])
    assert rows.lines.tolist() == [2, 3, 4, 5, 6]
    assert rows.notes == (
        "skipped 1 of 6 rows: line 7 (column 'size': 'big' is not a number)",
        "columns not read: 'weight'",
        "column 'size': 1 missing, now the median: line 3",
        "column 'colour': 1 missing, now the most frequent level: line 4",
        "column 'colour': not seen in training, read as zeros: 'blue' (line 3)",
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sort\napple\n", "lacks 'size', 'colour', which the model reads; its first line names sort."),
        ("size,colour\n", "has no usable row below its header; there is nothing to predict."),
        ("size,colour,size\n1,red,1\n", " line 1: 'size' stands more than once in the header; "),
        ("size,colour\nred,1\n", ": skipped 1 of 1 rows: line 2 (column 'size': 'red' is not a number); "),
    ],
)
def test_a_file_that_cannot_be_predicted_from_is_refused(write, fruit, text, sentence):
    path = write(text)
    assert sentence in refusal(read_rows, path, fruit.schema).removeprefix(str(path))


def test_columns_the_model_does_not_read_may_be_unnamed_or_doubled(write, fruit):
    rows = read_rows(write(",size,colour,a,a\n0,1,red,1,1\n"), fruit.schema)
    np.testing.assert_array_equal(rows.x, [[1, 0, 1]])


# ---------------------------------------------------------------------------------------------------- refusals


def test_files_that_cannot_be_opened_are_refused(tmp_path):
    missing = tmp_path / "none.csv"
    assert refusal(read_table, missing, "y").startswith(f"{missing} cannot be read (No such file")
    assert refusal(read_table, tmp_path, "y").startswith(f"{tmp_path} cannot be read (Is a directory)")
    assert refusal(read_table, str(missing), "y") == refusal(read_table, missing, "y")


def test_the_task_must_be_one_of_two():
    with pytest.raises(ArgumentError, match=r"task='sorting' was given; pass 'classification' or 'regres"):
        read_table(Path("table.csv"), "y", task="sorting")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", " is empty; expected a header line with column names, and rows below it."),
        (b"\n \n", " is empty; expected a header line with column names, and rows below it."),
        (b"x,y\n1,a\n2,\xff\n", " line 3 is not UTF-8 text; save the file as CSV in UTF-8."),
        ("x,y\n1,a\n".encode("utf-16"), " line 1 is not UTF-8 text; save the file as CSV in UTF-8."),
        ('x,y\n1,a\n2,"b\n3,a\n', " line 3: the quotation marks do not match (unexpected end of data)."),
        ("x,x,y\n1,2,a\n", " line 1: 'x' stands more than once in the header; name each column once."),
        ("x,,y\n1,2,a\n", " line 1: column 2 has no name; name or remove it."),
        ("x,Y\n1,a\n", " has no column 'y'; its columns are x, Y."),
        ("x,yy\n1,a\n", " has no column 'y'; its columns are x, yy; did you mean 'yy'?"),
        (
            "5.1,3.5,iris\n4.9,3.0,iris\n",
            " has no column 'y'; its columns are 5.1, 3.5, iris; "
            "numbers stand where the header should be, so put the names into the first line.",
        ),
        (
            "y\na\nb\n",
            " has no usable feature beside 'y': there is no other column (fields are divided by , ; or tab).",
        ),
        ("x,y\n1,a\n2,b\n", ": 2 usable rows; at least 10 are needed to train."),
        (columns(("x", range(12)), ("y", "a" * 12)), ": target 'y' holds 'a' only; there is nothing to tell apart."),
        (
            columns(("x", range(12)), ("y", "abcdefghijkl")),
            ": target 'y' holds 12 classes in 12 rows; classes must repeat.",
        ),
        (
            columns(("x", range(12)), ("y", ["a", "b", "", "?"] * 3)),
            ": target 'y' is missing or not finite in line 4 (''), line 5 ('?'), line 8 (''), line 9 ('?'), "
            "line 12 ('') and 1 more; fill in or remove them.",
        ),
        (
            columns(("x", range(12)), ("y", ["inf", *range(10), "NaN"])),
            ": target 'y' is missing or not finite in line 2 ('inf'), line 13 ('NaN'); fill in or remove them.",
        ),
        (
            columns(("x", [f"note {i}" for i in range(12)]), ("y", "ab" * 6)),
            " has no usable feature beside 'y': 'x' (free text or an identifier).",
        ),
        (
            "x,y\n" + "1,a\n2,b\n" * 5 + "3\n" * 3,
            ": skipped 3 of 13 rows: line 12 (1 fields, expected 2), line 13 (1 fields, expected 2), "
            "line 14 (1 fields, expected 2); more than 20% is too many, so mend the file.",
        ),
    ],
)
def test_a_file_that_cannot_be_learned_from_is_refused(write, text, sentence):
    path = write(text)
    assert refusal(read_table, path, "y") == str(path) + sentence


def test_regression_on_texts_is_refused(write):
    path = write(FRUIT)
    expected = f"{path}: target 'sort' holds texts such as 'apple'; regression expects numbers."
    assert refusal(read_table, path, "sort", task="regression") == expected


def test_many_columns_are_not_all_listed(write):
    path = write(columns(*[(f"c{i}", range(3)) for i in range(64)]))
    assert refusal(read_table, path, "target").endswith(", c19 and 44 more.")
