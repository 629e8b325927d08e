"""GET /api/predicted and /api/model: only what was signed, opened with the usual limits."""

import io

from PIL import Image

from al_core.deploy.asked import ask_about_uploads, place
from al_core.deploy.card import export_path
from al_core.results.records_file import write_json
from state import handles
from state.web.models import model_url, predicted_url


def png(size, colour="red"):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    buffer.seek(0)
    return buffer


def asked(web, *names):
    """A request that is answered; the second picture is none."""
    files = [(names[0], png((900, 600))), (names[1], io.BytesIO(b"\x89PNG\r\n"))]
    found = ask_about_uploads(web.settings, web.id, 0, files)
    result = {"predictions": [{"file": name} for name in names]}
    write_json(place(web.settings, found.token) / "result.json", result)
    return found.token


def test_a_classified_picture_is_served_small_and_kept_private(web):
    token = asked(web, "a.png", "b.png")
    reply = web.client.get(predicted_url(token, 0))
    assert reply.status_code == 200
    assert Image.open(io.BytesIO(reply.content)).width == 320
    assert reply.headers["cache-control"].startswith("private, max-age=")
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_what_is_no_picture_or_not_there_is_refused_in_words(web):
    token = asked(web, "c.png", "d.png")
    assert web.client.get(predicted_url(token, 1)).status_code == 422
    assert web.client.get(predicted_url(token, 7)).status_code == 404
    assert web.client.get(predicted_url("0" * 32, 0)).status_code == 404
    address = predicted_url(token, 0)
    for changed in (address.replace("/0?", "/1?"), address + "A", address.replace("e=", "e=9")):
        assert web.client.get(changed).status_code == 403


def test_a_name_in_a_result_never_leads_out_of_its_folder(web):
    token = asked(web, "../../../secret", "x.png")
    assert web.client.get(predicted_url(token, 0)).status_code == 422


def test_a_models_zip_is_streamed_as_a_download(web):
    assert web.client.get(model_url(web.id, 3)).status_code == 404
    path = export_path(handles.settings(), web.id, 3)
    path.parent.mkdir()
    path.write_bytes(b"PK zip")
    reply = web.client.get(model_url(web.id, 3))
    assert (reply.status_code, reply.content) == (200, b"PK zip")
    assert f'filename="{path.name}"' in reply.headers["content-disposition"]
    assert reply.headers["content-type"] == "application/zip"
    assert web.client.get(model_url(web.id, 3).replace("/3?", "/4?")).status_code == 403
