"""Makes NotoSansSC-subset.otf: what a statement is set in. Needs PyPI fonttools, and two files as arguments: the full
NotoSansSC-Regular.otf (PyPI pylopdf-fonts-zh-cn 0.1.1) and a list of Chinese words with their frequencies, one a line
(dict.txt of PyPI jieba 0.42.1). ASCII, Latin letters with accents, punctuation, every character of src/words.rs, and the
characters that Chinese words use most are kept; hinting and layout features are not.
"""

import collections
import pathlib
import subprocess
import sys

COMMON = 1_480


def main(font, words):
    here = pathlib.Path(__file__).parent
    counts = collections.Counter()
    for line in open(words, encoding="utf-8"):
        word, frequency, *_ = line.split(" ")
        for character in word:
            if "\u4e00" <= character <= "\u9fff":
                counts[character] += int(frequency)
    kept = {chr(code) for code in [*range(0x20, 0x7F), *range(0xA1, 0x100)]}
    kept |= set("–—‘’“”…€¥￥£₹，。、；：？！（）《》【】·％□")
    kept |= {c for c in (here / "../src/words.rs").read_text(encoding="utf-8") if ord(c) > 0x7F}
    kept |= {character for character, _ in counts.most_common(COMMON)}
    kept |= set("店商贸铺餐饮茶咖啡酒超市便利服饰鞋网络科技有限责任公司个体户旗舰专营")
    (here / "kept.txt").write_text("".join(sorted(kept)), encoding="utf-8")
    subprocess.run(
        [
            sys.executable, "-m", "fontTools.subset", font,
            f"--text-file={here / 'kept.txt'}", f"--output-file={here / 'NotoSansSC-subset.otf'}",
            "--layout-features=", "--no-hinting", "--desubroutinize", "--drop-tables+=BASE,VORG,vmtx,vhea,GPOS,GSUB,GDEF",
            "--name-IDs=0,1,2,4,6,13,14", "--notdef-outline",
        ],
        check=True,
    )
    (here / "kept.txt").unlink()


main(*sys.argv[1:])
