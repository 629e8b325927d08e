"""`preview`: a data set's classes, its refused files and its augmentation, as a person asks for them."""

from PIL import Image

from al_core.cli import main


def test_classes_counts_and_refused_files_are_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    for split, counts in (("train", {"cat": 3, "dog": 2}), ("test", {"cat": 1, "dog": 1})):
        for name, count in counts.items():
            folder = tmp_path / "own" / split / name
            folder.mkdir(parents=True)
            for n in range(count):
                Image.new("RGB", (20, 20), (40 * n, 200, len(name))).save(folder / f"{split}{n}.png")
    (tmp_path / "own" / "train" / "cat" / "broken.png").write_bytes(b"no picture")
    assert main(["preview", "--dataset", f"folder:{tmp_path / 'own'}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "5 images to learn from, 2 to test on" in lines[0]
    assert ["cat", "3", "1"] in [line.split() for line in lines]
    assert ["dog", "2", "1"] in [line.split() for line in lines]
    assert any(line.startswith("left out: ") and "broken.png" in line for line in lines)


def test_the_picture_has_a_row_an_image_and_says_what_is_changed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    out = tmp_path / "augmented.png"
    assert main(["preview", "--pictures", "3", "--epochs", "2", "--out", str(out)]) == 0
    assert "augmentation: crops moved by up to 1 pixel" in capsys.readouterr().out
    with Image.open(out) as picture:
        assert picture.size == ((3 * 10 + 2) * 9, (3 * 10 - 2) * 9)
    assert main(["preview", "--pictures", "0", "--out", "x.jpg"]) == 2
    said = capsys.readouterr().err
    assert "must be a .png file" in said
    assert "must lie between 1 and 50" in said
    assert main(["preview", "--image-size", "0"]) == 2
    assert main(["preview", "--seed", "-1"]) == 2
    said = capsys.readouterr().err
    assert "--image-size: 0 is refused" in said
    assert "-seed: -1 is refused" in said
