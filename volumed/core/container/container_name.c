/* SPDX-License-Identifier: Apache-2.0 */
/* The two word lists and the dice. */
#include "core/container/container_name.h"

#include <stdint.h>
#include <sys/random.h>

static const char *const adjectives[] = {
    "able",     "amber",    "awake",    "bold",      "brave",    "bright",   "brisk",   "busy",
    "calm",     "candid",   "careful",  "cheerful",  "clear",    "clever",   "cosy",    "crisp",
    "curious",  "daring",   "deft",     "diligent",  "dreamy",   "eager",    "early",   "elegant",
    "fair",     "fearless", "fluent",   "fond",      "frank",    "friendly", "gallant", "gentle",
    "gifted",   "glad",     "gracious", "happy",     "hardy",    "helpful",  "honest",  "hopeful",
    "humble",   "jolly",    "jovial",   "keen",      "kind",     "laughing", "lively",  "loyal",
    "lucid",    "lucky",    "mellow",   "merry",     "mindful",  "modest",   "neat",    "nimble",
    "noble",    "patient",  "peaceful", "playful",   "polite",   "proud",    "quick",   "quiet",
    "ready",    "relaxed",  "robust",   "serene",    "sharp",    "silent",   "sincere", "sleepy",
    "smiling",  "sober",    "solid",    "spry",      "steady",   "sturdy",   "sunny",   "swift",
    "tender",   "thrifty",  "tidy",     "trusting",  "upbeat",   "vigilant", "vivid",   "warm",
    "watchful", "wise",     "witty",    "wonderful", "youthful", "zealous",  "zen",
};

static const char *const surnames[] = {
    "abel",         "agnesi",      "ampere",
    "anning",       "archimedes",  "babbage",
    "banach",       "bardeen",     "bell",
    "bernoulli",    "bohr",        "boole",
    "borg",         "bose",        "boyle",
    "brahe",        "carson",      "cartwright",
    "cavendish",    "cerf",        "chandrasekhar",
    "chatelet",     "colden",      "cori",
    "cray",         "curie",       "darwin",
    "dijkstra",     "dirac",       "easley",
    "edison",       "einstein",    "elion",
    "engelbart",    "euclid",      "euler",
    "faraday",      "fermat",      "fermi",
    "feynman",      "franklin",    "galileo",
    "galois",       "gauss",       "germain",
    "goldberg",     "goodall",     "hamilton",
    "hawking",      "heisenberg",  "hermann",
    "herschel",     "hertz",       "hodgkin",
    "hoover",       "hopper",      "huygens",
    "hypatia",      "jackson",     "jang",
    "jennings",     "jepsen",      "johnson",
    "joliot",       "kalam",       "keller",
    "kepler",       "khayyam",     "khorana",
    "kilby",        "knuth",       "kovalevsky",
    "lalande",      "lamarr",      "lamport",
    "laplace",      "leakey",      "leavitt",
    "leibniz",      "liskov",      "lovelace",
    "lumiere",      "maxwell",     "mayer",
    "mccarthy",     "mcclintock",  "meitner",
    "mendel",       "mendeleev",   "mirzakhani",
    "morse",        "napier",      "nash",
    "newton",       "nightingale", "nobel",
    "noether",      "northcutt",   "noyce",
    "pascal",       "pasteur",     "payne",
    "perlman",      "pike",        "planck",
    "poincare",     "ptolemy",     "raman",
    "ramanujan",    "ride",        "ritchie",
    "robinson",     "roentgen",    "rosalind",
    "rubin",        "saha",        "sammet",
    "shannon",      "sinoussi",    "snyder",
    "spence",       "stallman",    "swanson",
    "swartz",       "tesla",       "tharp",
    "thompson",     "torvalds",    "turing",
    "varahamihira", "villani",     "volhard",
    "wescoff",      "wilbur",      "wiles",
    "williams",     "wilson",      "wing",
    "wozniak",      "wright",      "wu",
    "yalow",        "yonath",      "zhukovsky",
};

static uint32_t roll(size_t sides);

const char *container_name_invent(struct arena *mem, int attempt)
{
    const char *adjective = adjectives[roll(ARRAY_SIZE(adjectives))];
    const char *surname = surnames[roll(ARRAY_SIZE(surnames))];

    if (attempt > 0)
        return arena_printf(mem, "%s_%s%u", adjective, surname, roll(10));
    return arena_printf(mem, "%s_%s", adjective, surname);
}

/* A name need not be unpredictable, so an unready random source is no failure. */
static uint32_t roll(size_t sides)
{
    uint32_t value = 0;

    if (getrandom(&value, sizeof(value), 0) != sizeof(value))
        value = 0;
    return value % (uint32_t)sides;
}
