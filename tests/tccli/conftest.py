"""Stories to tell: in the shared cloud, or in one of one's own."""

import uuid

import pytest

import images
import place as places
from story import Place, Story
from tencent import TccliError


@pytest.fixture
def tell(home, unique):
    """Begins a story in a cloud of one's own."""
    return lambda cloud: Story(cloud, home, unique)


@pytest.fixture
def story(cloud, tell):
    """A story in the shared cloud."""
    return tell(cloud)


@pytest.fixture(scope="module")
def premium(cloud, home, request):
    story = Story(cloud, home, lambda stem: f"{stem}-{request.module.__name__.replace('_', '-')}"[:40])
    name, id = story.instance("premium")
    return Place(name, id, story.login(id))


@pytest.fixture(scope="module")
def place(cloud, tmp_path_factory):
    """An instance that the tests of a file share."""
    return places.instance(cloud, tmp_path_factory.mktemp("home"), lambda stem: f"{stem}-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def image(tmp_path, unique):
    """Images that differ."""
    return lambda tag="1": images.single(tmp_path / unique("image"), unique("hello"), tag)


@pytest.fixture
def layout(tmp_path, unique):
    return images.single(tmp_path / "layout", unique("hello"))


@pytest.fixture
def index(tmp_path, unique):
    return images.multi(tmp_path / "index", unique("hello"))


@pytest.fixture
def refused():
    """The error with which a call is refused."""

    def refused(call, *arguments, **more):
        with pytest.raises(TccliError) as caught:
            call(*arguments, **more)
        return caught.value

    return refused
