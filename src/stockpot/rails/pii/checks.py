"""Check digits of published numbers. Each takes digits or characters without separators.

Every function names the rule it follows; a number that passes may still never have been issued.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

Check = Callable[[str], bool]

_DOUBLED = [sum(divmod(2 * digit, 10)) for digit in range(10)]


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    numbers = [ord(d) - 48 for d in digits]
    return (sum(numbers[-1::-2]) + sum([_DOUBLED[n] for n in numbers[-2::-2]])) % 10 == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    return sum((ord(d) - 48) * w for d, w in zip(digits, weights, strict=False))


def iban(word: str) -> bool:
    """ISO 13616: the first four characters moved to the end, letters as 10..35, modulo 97 is 1;
    each country has one length."""
    word = word.upper()
    if IBAN_SIZES.get(word[:2]) != len(word):
        return False
    try:
        return int("".join([str(int(c, 36)) for c in word[4:] + word[:4]])) % 97 == 1
    except ValueError:
        return False


IBAN_SIZES = {
    country: size
    for size, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL FK", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA",
        30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
"""Characters of an IBAN by country, as SWIFT's IBAN registry has them."""


def card(digits: str) -> bool:
    """A card scheme's first digits and length, and Luhn's check digit."""
    return _scheme(digits) and luhn(digits)


def _scheme(digits: str) -> bool:
    size, four = len(digits), int(digits[:4])
    two = four // 100
    if digits[0] == "4":
        return size in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720 or 2200 <= four <= 2204:
        return size == 16
    if two in (34, 37) or four in (2131, 1800):
        return size == 15
    if 3000 <= four <= 3059 or four // 10 == 309 or two in (36, 38, 39):
        return 14 <= size <= 19
    if two in (35, 81):
        return 16 <= size <= 19
    return (two == 50 or 56 <= two <= 69 or four == 604) and 12 <= size <= 19


def day_of(digits: str, order: str = "ymd") -> bool:
    """Whether six digits are a date of two-digit year, month and day in an order."""
    at = {part: int(digits[2 * n : 2 * n + 2]) for n, part in enumerate(order)}
    return 1 <= at["m"] <= 12 and 1 <= at["d"] <= 31


def ssn(d: str) -> bool:
    """US Social Security: no area 000, 666 or 9xx, no group 00, no serial 0000 (SSA, 2011)."""
    return d[:3] not in ("000", "666") and d[0] != "9" and d[3:5] != "00" and d[5:] != "0000"


def itin(d: str) -> bool:
    """US taxpayer number (IRS): 9xx and a fourth and fifth digit of 50-65, 70-88, 90-92, 94-99."""
    group = int(d[3:5])
    known = 50 <= group <= 65 or 70 <= group <= 88 or (group >= 90 and group != 93)
    return d[0] == "9" and known


def aba(d: str) -> bool:
    """US routing number: weights 3, 7, 1 and the Federal Reserve's first two digits."""
    two = int(d[:2])
    known = two <= 12 or 21 <= two <= 32 or 61 <= two <= 72 or two == 80
    return known and any(c != "0" for c in d) and weighted(d, (3, 7, 1) * 3) % 10 == 0


def nhs(d: str) -> bool:
    """UK NHS number, modulo 11."""
    return (11 - weighted(d, range(10, 1, -1)) % 11) % 11 == int(d[9])


def steuer_id(d: str) -> bool:
    """German tax number (IdNr): ISO 7064 mod 11,10; of the first ten digits one comes twice or
    three times, and the first is not 0."""
    counts = sorted(d[:10].count(c) for c in set(d[:10]))
    if d[0] == "0" or counts[-1] not in (2, 3) or (len(counts) > 1 and counts[-2] > 1):
        return False
    product = 10
    for c in d[:10]:
        product = ((int(c) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(d[10])


def nir(d: str) -> bool:
    """French NIR: the last two digits are 97 less the first thirteen modulo 97."""
    month = int(d[3:5])
    return d[0] in "1234578" and (1 <= month <= 12 or 20 <= month <= 99) and (
        97 - int(d[:13]) % 97 == int(d[13:])
    )  # fmt: skip


def bsn(d: str) -> bool:
    """Dutch citizen service number: the eleven test."""
    return d != "0" * 9 and (weighted(d[:8], range(9, 1, -1)) - int(d[8])) % 11 == 0


def pesel(d: str) -> bool:
    """Polish PESEL: weights 1, 3, 7, 9; the month carries the century."""
    day = 1 <= int(d[2:4]) % 20 <= 12 and 1 <= int(d[4:6]) <= 31
    return day and (10 - weighted(d[:10], (1, 3, 7, 9) * 3) % 10) % 10 == int(d[10])


def cpf(d: str) -> bool:
    """Brazilian CPF: two check digits, modulo 11; eleven times the same digit is none."""
    if len(set(d)) == 1:
        return False
    one = weighted(d[:9], range(10, 1, -1)) * 10 % 11 % 10
    two = weighted(d[:10], range(11, 1, -1)) * 10 % 11 % 10
    return d[9:] == f"{one}{two}"


def cnpj(d: str) -> bool:
    """Brazilian CNPJ: two check digits, modulo 11."""

    def check(part: str, weights: Sequence[int]) -> int:
        rest = weighted(part, weights) % 11
        return 0 if rest < 2 else 11 - rest

    weights = (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    one, two = check(d[:12], weights), check(d[:13], (6, *weights))
    return len(set(d)) > 1 and d[12:] == f"{one}{two}"


_TIMES = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_TURNS = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def aadhaar(d: str) -> bool:
    """Indian Aadhaar: Verhoeff's check digit (1969); never begins with 0 or 1."""
    check = 0
    for at, c in enumerate(reversed(d)):
        check = int(_TIMES[check][int(_TURNS[at % 8][int(c)])])
    return d[0] not in "01" and check == 0


def sin(d: str) -> bool:
    """Canadian Social Insurance Number: Luhn, never 8 first; 0 only for fictitious ones."""
    return d[0] not in "08" and luhn(d)


def abn(d: str) -> bool:
    """Australian Business Number: modulo 89 with 1 taken off the first digit."""
    weights = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
    return d[0] != "0" and (weighted(d, weights) - 10) % 89 == 0


def tfn(d: str) -> bool:
    """Australian Tax File Number: modulo 11."""
    return weighted(d, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def medicare(d: str) -> bool:
    """Australian Medicare: weights 1, 3, 7, 9 over eight digits."""
    return d[0] in "23456" and weighted(d[:8], (1, 3, 7, 9) * 2) % 10 == int(d[8])


def personnummer(d: str) -> bool:
    """Swedish personal number: Luhn over ten digits that begin with a date."""
    d = d[-10:]
    day = int(d[4:6])
    return 1 <= int(d[2:4]) <= 12 and (1 <= day <= 31 or 61 <= day <= 91) and luhn(d)


def fodselsnummer(d: str) -> bool:
    """Norwegian birth number: two check digits, modulo 11."""
    day, month = int(d[:2]) % 40, int(d[2:4]) % 40
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return False
    one = weighted(d[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    return one == 0 and weighted(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def rijksregister(d: str) -> bool:
    """Belgian national number: modulo 97; from 2000 on with a 2 in front."""
    if not (int(d[2:4]) % 20 <= 12 and int(d[4:6]) <= 31):
        return False
    told = int(d[9:])
    return told in (97 - int(d[:9]) % 97, 97 - int("2" + d[:9]) % 97)


def ahv(d: str) -> bool:
    """Swiss AHV number: 756 first, EAN-13's check digit."""
    return d[:3] == "756" and weighted(d, (1, 3) * 7) % 10 == 0


def tckn(d: str) -> bool:
    """Turkish identity number: two check digits."""
    n = [int(c) for c in d]
    ten = (7 * sum(n[0:9:2]) - sum(n[1:8:2])) % 10
    return n[0] != 0 and ten == n[9] and sum(n[:10]) % 10 == n[10]


def za_id(d: str) -> bool:
    """South African identity number: a date, a citizenship of 0 to 2, Luhn."""
    return day_of(d[:6]) and d[10] in "012" and luhn(d)


def rrn(d: str) -> bool:
    """Korean resident number: six digits of a date, modulo 11."""
    check = (11 - weighted(d[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return day_of(d[:6]) and check == int(d[12])


def nif_pt(d: str) -> bool:
    """Portuguese tax number: modulo 11."""
    rest = weighted(d[:8], range(9, 1, -1)) % 11
    return d[0] in "12356789" and int(d[8]) == (0 if rest < 2 else 11 - rest)


def partita_iva(d: str) -> bool:
    """Italian VAT number: Luhn."""
    return d[:7] != "0" * 7 and luhn(d)


def nif(word: str) -> bool:
    """Spanish NIF and NIE: the letter is the number modulo 23."""
    digits = word[:-1]
    if digits[0] in "XYZ":
        digits = str("XYZ".index(digits[0])) + digits[1:]
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == word[-1]


_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8,
    12, 14, 16, 10, 22, 25, 24, 23,
), strict=True))  # fmt: skip
_EVEN = {c: int(c) if c.isdigit() else ord(c) - 65 for c in _ODD}


def codice_fiscale(word: str) -> bool:
    """Italian tax code: characters in odd and even places by two tables, modulo 26."""
    total = sum(_ODD[c] for c in word[:15:2]) + sum(_EVEN[c] for c in word[1:15:2])
    return chr(65 + total % 26) == word[15]


def nric(word: str) -> bool:
    """Singapore's NRIC and FIN: weights 2, 7, 6, 5, 4, 3, 2 and a table for each first letter."""
    total = weighted(word[1:8], (2, 7, 6, 5, 4, 3, 2)) + {"T": 4, "G": 4, "M": 3}.get(word[0], 0)
    table = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "XWUTRQPNJLK"}
    letters = table.get(word[0], "XWUTRQPNMLK")
    at = total % 11
    return letters[10 - at if word[0] == "M" else at] == word[8]


def hetu(word: str) -> bool:
    """Finnish personal identity code: nine digits modulo 31."""
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(word[:6] + word[7:10]) % 31] == word[10]


def resident_cn(word: str) -> bool:
    """Chinese resident identity number (GB 11643): ISO 7064 mod 11-2, a date in the middle."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return day_of(word[8:14]) and "10X98765432"[weighted(word[:17], weights) % 11] == word[17]


def vin(word: str) -> bool:
    """Vehicle identification number (49 CFR 565): the ninth character checks the others."""
    values = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    total = weighted("".join([values.get(c, c) for c in word]), weights) % 11
    return ("X" if total == 10 else str(total)) == word[8]


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58check(word: str) -> bool:
    """Bitcoin's address form: the last four bytes are a double SHA-256 of the first."""
    number = 0
    for c in word:
        at = _BASE58.find(c)
        if at < 0:
            return False
        number = number * 58 + at
    if number.bit_length() > 200:
        return False
    whole = number.to_bytes(25, "big")
    double = hashlib.sha256(hashlib.sha256(whole[:21]).digest()).digest()
    return double[:4] == whole[21:]


_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(word: str) -> bool:
    """BIP 173 and BIP 350 (Bitcoin, Litecoin): a BCH code over GF(32)."""
    word = word.lower()
    part, _, data = word.rpartition("1")
    values = [_BECH32.find(c) for c in data]
    if min(values, default=-1) < 0 or len(data) < 8:
        return False
    check = 1
    for value in [*(ord(c) >> 5 for c in part), 0, *(ord(c) & 31 for c in part), *values]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, mask in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= mask if top >> bit & 1 else 0
    return check in (1, 0x2BC830A3)
