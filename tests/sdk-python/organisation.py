"""What an organisation is made of, as the tests of identities build it: users with keys, policies, trust."""

import json

from tencentcloud.cam.v20190116.cam_client import CamClient
from tencentcloud.common.credential import Credential

import sdk
from typed import Typed


def cam(cloud, id=None, key=None, language="en-US"):
    """CAM as the root, or as the holder of a key."""
    credential = Credential(id, key) if id else sdk.credential(cloud)
    return Typed(CamClient(credential, "", sdk.profile(cloud, language=language)))


def document(*statements):
    """A policy of statements that are each `(effect, actions)` or `(effect, actions, resources)`."""
    return json.dumps(
        {
            "version": "2.0",
            "statement": [
                {"effect": effect, "action": actions, "resource": resource[0] if resource else ["*"]}
                for effect, actions, *resource in statements
            ],
        }
    )


def trust(**principal):
    statement = {"effect": "allow", "action": "name/sts:AssumeRole", "principal": principal}
    return json.dumps({"version": "2.0", "statement": [statement]})
