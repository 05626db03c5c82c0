"""Loading a repository: which files, what is collected, how modules are kept apart, what errors say."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from feast_core.definitions import Entity, FeatureView, FileSource, OnDemandFeatureView, Project, from_spec
from feast_core.errors import DefinitionError
from feast_core.repo import RepoContents, collect, definition_files, load_repo

EVERYTHING = Path(__file__).parent.parent / "data" / "everything"

ENTITIES = """
    from feast import Entity
    driver = Entity(name="driver")
"""
VIEWS = """
    from entities import driver
    from feast import FeatureView, FileSource, PushSource
    push = PushSource(name="push", batch_source=FileSource(name="file", path="data.parquet"))
    stats = FeatureView(name="stats", entities=[driver], source=push)
    again = stats
    listed = [FeatureView(name="listed")]
"""


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(dedent(text))
    return root


def names(contents: RepoContents) -> list[str]:
    return [item.label for item in contents.objects]


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> Iterator[None]:
    path, folder = list(sys.path), os.getcwd()
    yield
    files = [str(getattr(module, "__file__", "")) for module in list(sys.modules.values())]
    assert not [file for file in files if "/pytest-of-" in file or str(EVERYTHING) in file]
    assert sys.path == path
    assert os.getcwd() == folder


def test_a_repository_with_one_of_everything_loads_in_order_and_round_trips() -> None:
    contents = load_repo(EVERYTHING, "everything")
    kinds = list(dict.fromkeys(item.kind for item in contents.objects))
    assert kinds == [
        "project",
        "entity",
        "data source",
        "feature view",
        "on demand feature view",
        "label view",
        "feature service",
        "saved dataset",
        "permission",
    ]
    for item in contents.objects:
        assert from_spec(json.loads(json.dumps(item.spec()))) == item
    by_name = next(view for view in contents.feature_views if view.name == "by_name")
    assert by_name.entity_objects == [next(entity for entity in contents.entities if entity.name == "driver")]
    plus = contents.on_demand_feature_views[0]
    assert plus.udf is not None
    assert plus.udf({"conv_rate": [1.0], "val_to_add": [2]}) == {"plus": [3.0]}


def test_attributes_are_collected_with_what_they_reach_and_each_object_once(tmp_path: Path) -> None:
    contents = load_repo(write(tmp_path, {"views.py": VIEWS, "entities.py": ENTITIES}), "p")
    assert names(contents) == [
        "project 'p'",
        "entity 'driver'",
        "data source 'file'",
        "data source 'push'",
        "feature view 'stats'",
    ]


def test_a_file_is_imported_once_whoever_imports_it_first(tmp_path: Path) -> None:
    count = "open('count.txt', 'a').write('x')\n"
    write(tmp_path, {"a.py": "from z import driver\n", "z.py": dedent(ENTITIES) + count})
    assert names(load_repo(tmp_path, "p")) == ["project 'p'", "entity 'driver'"]
    assert (tmp_path / "count.txt").read_text() == "x"


def test_files_in_folders_are_found_and_import_each_other(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "sub/__init__.py": "from feast import Entity\nhidden = Entity(name='hidden')\n",
            "sub/entities.py": ENTITIES,
            "sub/views.py": VIEWS.replace("from entities", "from .entities"),
            "other/deep/more.py": "from sub.entities import driver\n",
        },
    )
    contents = load_repo(tmp_path, "p")
    assert [view.name for view in contents.feature_views] == ["stats"]
    assert [entity.name for entity in contents.entities] == ["driver"], "__init__.py defines nothing"


def test_a_dotted_path_from_the_folder_above_works_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    views = VIEWS.replace("from entities", "from feature_repo.entities")
    root = write(tmp_path / "feature_repo", {"views.py": views, "entities.py": ENTITIES})
    monkeypatch.chdir(tmp_path)
    assert [entity.name for entity in load_repo(root, "p").entities] == ["driver"]
    assert [entity.name for entity in load_repo(Path("feature_repo"), "p").entities] == ["driver"]


def test_files_are_read_relative_to_the_repository(tmp_path: Path) -> None:
    write(
        tmp_path, {"names.txt": "driver", "e.py": "from feast import Entity\ne = Entity(name=open('names.txt').read())"}
    )
    assert load_repo(tmp_path, "p").entities[0].name == "driver"


def test_two_repositories_do_not_see_each_other(tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"views.py": VIEWS, "entities.py": ENTITIES, "only_here.py": ""})
    two = write(tmp_path / "two", {"views.py": VIEWS, "entities.py": ENTITIES.replace('"driver"', '"rider"')})
    assert load_repo(one, "p").entities[0].name == "driver"
    assert load_repo(two, "p").entities[0].name == "rider"
    assert load_repo(one, "p").entities[0].name == "driver"
    write(two, {"views.py": "import only_here\n"})
    with pytest.raises(DefinitionError, match=r"views.py:1: there is no module only_here"):
        load_repo(two, "p")


def test_an_edit_is_seen_by_the_next_load(tmp_path: Path) -> None:
    write(tmp_path, {"entities.py": ENTITIES})
    load_repo(tmp_path, "p")
    write(tmp_path, {"entities.py": ENTITIES.replace('"driver"', '"cyclist"')})
    assert load_repo(tmp_path, "p").entities[0].name == "cyclist"
    assert not list(tmp_path.rglob("*.pyc")), "loading leaves nothing in the repository"


def test_a_file_may_be_called_as_a_module_that_is_loaded_already(tmp_path: Path) -> None:
    import json as standard

    write(tmp_path, {"json.py": ENTITIES, "my-features.py": "", "a.b.py": ""})
    assert [entity.name for entity in load_repo(tmp_path, "p").entities] == ["driver"]
    assert sys.modules["json"] is standard


def test_an_environment_inside_the_repository_stays_loaded(tmp_path: Path) -> None:
    package = tmp_path / "venv/lib/site-packages"
    write(package, {"some_library/__init__.py": "state = []\n"})
    write(
        tmp_path,
        {".feastignore": "venv\n", "a.py": f"import sys\nsys.path.append({str(package)!r})\nimport some_library"},
    )
    load_repo(tmp_path, "p")
    try:
        assert "some_library" in sys.modules
    finally:
        del sys.modules["some_library"]


def test_functions_still_work_after_their_modules_are_gone(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "helpers.py": "def twice(x):\n    return 2 * x\n",
            "views.py": """
                import helpers
                from feast import Field, RequestSource
                from feast.on_demand_feature_view import on_demand_feature_view
                from feast.types import Int64

                request = RequestSource(name="request", schema=[Field(name="x", dtype=Int64)])

                @on_demand_feature_view(sources=[request], schema=[Field(name="y", dtype=Int64)], mode="python")
                def double(inputs):
                    return {"y": [helpers.twice(x) for x in inputs["x"]]}
            """,
        },
    )
    view = load_repo(tmp_path, "p").on_demand_feature_views[0]
    assert isinstance(view, OnDemandFeatureView)
    assert view.udf is not None
    assert view.udf({"x": [1, 2]}) == {"y": [2, 4]}
    assert view.udf_string.startswith("@on_demand_feature_view(")
    assert view.udf_location == f"{tmp_path / 'views.py'}:9"


def test_ignored_files_are_not_imported(tmp_path: Path) -> None:
    boom = "raise RuntimeError('imported')\n"
    write(
        tmp_path,
        {
            ".feastignore": "# comment\nscripts  # a folder\n*_draft.py\n**/skip_me.py\n\n",
            "entities.py": ENTITIES,
            "scripts/deep/run.py": boom,
            "a_draft.py": boom,
            "sub/skip_me.py": boom,
            "sub/a_draft_too.py": "",
            ".venv/lib/x.py": boom,
            ".git/hooks/x.py": boom,
            "sub/.ipynb_checkpoints/x.py": boom,
            "sub/__pycache__/x.py": boom,
            "sub/__init__.py": "",
            "feast_plugins.py": boom,
            "static_artifacts.py": boom,
        },
    )
    found = [str(file.relative_to(tmp_path)) for file in definition_files(tmp_path)]
    assert found == ["entities.py", "sub/a_draft_too.py"]
    assert names(load_repo(tmp_path, "p")) == ["project 'p'", "entity 'driver'"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n\nraise KeyError('gone')\n", r"^bad.py:3: KeyError: 'gone'$"),
        ("import sys\nsys.exit(3)\n", r"^bad.py:2: the file ends the program when it is imported; put that under `if "),
        ("x = 1\ndef broken(:\n", r"^bad.py:2: SyntaxError: "),
        (
            "from feast import Entity\nEntity(name='e', join_keys=['a', 'b'])\n",
            r"^bad.py:2: entity 'e': join_keys has 2",
        ),
        ("import helper_that_fails\n", r"^helper_that_fails.py:2: ZeroDivisionError: "),
        (
            "import nowhere_to_be_found.at_all\n",
            r"^bad.py:1: there is no module nowhere_to_be_found; install the package that it comes with, or leave"
            r" bad.py out with a line in .feastignore$",
        ),
        (
            "from feast.infra.online_stores.redis import RedisOnlineStore\n",
            r"^bad.py:1: feast.infra.online_stores.redis of Feast is not in feastkit; do without it, or leave bad.py",
        ),
        (
            "from feast import FeastVectorStore\n",
            r"^bad.py:1: FeastVectorStore of Feast is not in feastkit: vector search .*, or leave bad.py out",
        ),
        (
            "from feast import FeatureStore\nFeatureStore.retrieve_dataset_data(None, 'name')\n",
            r"^bad.py:2: FeatureStore.retrieve_dataset_data is not supported: saved datasets are not kept here; read",
        ),
        ("from json import nonsense\n", r"^bad.py:1: cannot import name 'nonsense' from 'json'.*, or leave bad.py out"),
        ("from feast import Entity\nEntity('e')\n", r"^bad.py:2: TypeError: .*positional"),
    ],
)
def test_what_fails_is_named_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, {"bad.py": text, "helper_that_fails.py": "\n1 / 0\n"})
    with pytest.raises(DefinitionError, match=message) as caught:
        load_repo(tmp_path, "p")
    assert caught.value.__cause__ is not None


def test_two_objects_of_one_name_are_both_named(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.py": "from feast import FeatureView\nfirst = FeatureView(name='Stats')\n",
            "b.py": """
                from feast import Field, RequestSource
                from feast.on_demand_feature_view import OnDemandFeatureView
                second = OnDemandFeatureView(name="stats", sources=[])
            """,
        },
    )
    message = (
        r"feature view 'Stats' in a.py \(first\) and on demand feature view 'stats' in b.py \(second\); rename one"
    )
    with pytest.raises(DefinitionError, match=message):
        load_repo(tmp_path, "p")


def test_two_sources_whose_names_differ_in_case_are_both_named(tmp_path: Path) -> None:
    text = """
        from feast import FileSource
        one = FileSource(name="Trips", path="one.parquet")
        two = FileSource(name="trips", path="two.parquet")
    """
    write(tmp_path, {"a.py": text})
    with pytest.raises(DefinitionError, match=r"data source 'Trips' in a.py \(one\) and data source 'trips' in a.py"):
        load_repo(tmp_path, "p")


def test_names_of_different_kinds_and_equal_objects_do_not_collide(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.py": """
                from feast import Entity, FeatureService, FeatureView, FileSource
                one = FeatureView(name="x", source=FileSource(path="same.parquet"))
                two = FeatureView(name="y", source=FileSource(path="same.parquet"))
                driver = Entity(name="x")
                service = FeatureService(name="x", features=[one])
                alias = one.with_name("z")
            """
        },
    )
    contents = load_repo(tmp_path, "p")
    assert [view.name for view in contents.feature_views] == ["x", "y"]
    assert [source.name for source in contents.data_sources] == ["same.parquet"]


def test_a_source_that_collides_through_a_view_is_traced_to_the_view(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.py": """
                from feast import FeatureView, FileSource
                source = FileSource(name="s", path="one.parquet")
                view = FeatureView(name="v", source=FileSource(name="s", path="two.parquet"))
            """
        },
    )
    with pytest.raises(DefinitionError, match=r"in a.py \(source\) and .* in a.py \(view\), through feature view 'v'"):
        load_repo(tmp_path, "p")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (["other"], "declares project 'other', feature_store.yaml 'p'"),
        (["p", "q"], "declares 2 projects, 'p', 'q'"),
    ],
)
def test_a_project_must_be_the_one_of_the_configuration(tmp_path: Path, declared: list[str], message: str) -> None:
    lines = [f"{name} = Project(name={name!r}, description='mine')" for name in declared]
    write(tmp_path, {"a.py": "\n".join(["from feast import Project", *lines])})
    with pytest.raises(DefinitionError, match=message):
        load_repo(tmp_path, "p")
    write(tmp_path, {"a.py": "from feast import Project\nmine = Project(name='p', description='mine')\n"})
    assert load_repo(tmp_path, "p").project.description == "mine"


def test_an_entity_given_by_an_unknown_name_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "from feast import FeatureView\nv = FeatureView(name='v', entities=['driver'])\n"})
    with pytest.raises(DefinitionError, match="feature view 'v': no entity is named 'driver'"):
        load_repo(tmp_path, "p")


def test_an_empty_repository_has_just_its_project(tmp_path: Path) -> None:
    assert load_repo(tmp_path, "p") == RepoContents(projects=(Project(name="p"),))


def test_a_repository_that_is_not_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="nowhere is not a folder"):
        load_repo(tmp_path / "nowhere", "p")


def test_objects_that_are_already_here_are_collected_the_same_way() -> None:
    driver = Entity(name="driver")
    view = FeatureView(name="v", entities=[driver], source=FileSource(path="x.parquet"))
    contents = collect([view], "p")
    assert names(contents) == ["project 'p'", "entity 'driver'", "data source 'x.parquet'", "feature view 'v'"]
    with pytest.raises(DefinitionError, match="two different objects have one name"):
        collect([view, FeatureView(name="V")], "p")


def test_a_program_in_the_repository_is_not_run_again_by_what_it_asks_for(tmp_path: Path) -> None:
    """What it defines before it asks takes part."""
    write(
        tmp_path,
        {
            "entities.py": ENTITIES,
            "program.py": """
                from pathlib import Path
                from feast import Entity
                from feast_core.repo import load_repo
                rider = Entity(name="rider")
                print(sorted(entity.name for entity in load_repo(Path(__file__).parent, "p").entities))
            """,
        },
    )
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "['driver', 'rider']\n", done.stderr
