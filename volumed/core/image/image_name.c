/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's grammar of image names:
 *
 *     name   = [domain "/"] component {"/" component} [":" tag] ["@" digest]
 *     domain = label {"." label} [":" port] | "[" IPv6 "]" [":" port]
 *
 * Knows nothing of the images that there are.
 */
#include "core/image/image_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "core/image/image.h"

#define LOWER           "abcdefghijklmnopqrstuvwxyz"
#define UPPER           "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS          "0123456789"
#define HEX             DIGITS "abcdef"
#define DEFAULT_DOMAIN  "docker.io"
#define LEGACY_DOMAIN   "index.docker.io"
#define OFFICIAL_PREFIX "library/"
#define NAME_BYTES_MAX  255
#define TAG_BYTES_MAX   128
#define ID_DIGITS       64
#define SHA256_PREFIX   "sha256:"
#define INVALID_FORMAT  "invalid reference format"
#define HEX_DIGEST_MIN  32
#define INPUT_BYTES_MAX 1024

static int split_domain(struct arena *mem, const char *text, struct image_name *name);
static bool is_domain(const char *text, size_t length);
static int check_parts(const struct image_name *name, struct error *err);
static bool domain_is_valid(const char *domain);
static bool label_is_valid(const char *label, size_t length);
static bool path_is_valid(const char *path);
static size_t component_length(const char *text);
static size_t separator_length(const char *text);
static bool tag_is_valid(const char *tag);
static int check_digest(const char *digest, struct error *err);
static bool has_upper(const char *text);

int image_name_normalize(struct arena *mem, const char *name, const char **full, struct error *err)
{
    struct image_name parts = { 0 };

    if (image_name_parse(mem, name, &parts, err) < 0)
        return -1;
    if (parts.tag == NULL && parts.digest == NULL)
        parts.tag = "latest";
    *full = image_name_text(mem, &parts);
    return 0;
}

const char *image_name_familiar(struct arena *mem, const char *full)
{
    size_t domain = strlen(DEFAULT_DOMAIN "/");
    size_t official = strlen(OFFICIAL_PREFIX);

    /* "docker.io/a.b/c" must not become "a.b/c", where a.b is a host. */
    if (strncmp(full, DEFAULT_DOMAIN "/", domain) != 0 ||
        is_domain(full + domain, strcspn(full + domain, "/:@")))
        return arena_strdup(mem, full);
    full += domain;
    if (strncmp(full, OFFICIAL_PREFIX, official) == 0 && strchr(full + official, '/') == NULL)
        full += official;
    return arena_strdup(mem, full);
}

int image_name_parse(struct arena *mem, const char *text, struct image_name *name,
                     struct error *err)
{
    struct image_name parts = { 0 };

    if (strlen(text) > INPUT_BYTES_MAX)
        return fail(err, ERR_INVALID, INVALID_FORMAT);
    if (strlen(text) == ID_DIGITS && strspn(text, HEX) == ID_DIGITS)
        return fail(err, ERR_INVALID,
                    "invalid repository name (%s), cannot specify 64-byte hexadecimal strings",
                    text);
    char *rest = arena_strdup(mem, text + split_domain(mem, text, &parts));
    char *at = strchr(rest, '@');
    if (at != NULL) {
        *at = '\0';
        parts.digest = at + 1;
    }
    char *colon = strchr(rest, ':');
    if (colon != NULL) {
        *colon = '\0';
        parts.tag = colon + 1;
    }
    bool is_official = strcmp(parts.domain, DEFAULT_DOMAIN) == 0 && strchr(rest, '/') == NULL;
    parts.path = is_official ? arena_printf(mem, OFFICIAL_PREFIX "%s", rest) : rest;
    if (check_parts(&parts, err) < 0)
        return -1;
    *name = parts;
    return 0;
}

const char *image_name_text(struct arena *mem, const struct image_name *name)
{
    return arena_printf(mem, "%s/%s%s%s%s%s", name->domain, name->path,
                        name->tag != NULL ? ":" : "", name->tag != NULL ? name->tag : "",
                        name->digest != NULL ? "@" : "", name->digest != NULL ? name->digest : "");
}

int image_name_join(struct arena *mem, const char *repo, const char *tag, const char **full,
                    struct error *err)
{
    struct image_name parts = { 0 };

    if (repo == NULL || *repo == '\0')
        return fail(err, ERR_INVALID, "repository name must have at least one component");
    if (image_name_parse(mem, repo, &parts, err) < 0)
        return -1;
    if (parts.digest != NULL)
        return fail(err, ERR_INVALID, "refusing to create a tag with a digest reference");
    if (tag != NULL && *tag != '\0')
        parts.tag = tag;
    if (parts.tag == NULL)
        parts.tag = "latest";
    if (!tag_is_valid(parts.tag))
        return fail(err, ERR_INVALID, "invalid tag format");
    *full = image_name_text(mem, &parts);
    return 0;
}

/* Sets the domain; returns how many bytes of 'text' it took, with its slash. */
static int split_domain(struct arena *mem, const char *text, struct image_name *name)
{
    const char *slash = strchr(text, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - text);

    if (slash == NULL || !is_domain(text, length)) {
        name->domain = DEFAULT_DOMAIN;
        return 0;
    }
    name->domain = arena_strndup(mem, text, length);
    if (strcmp(name->domain, LEGACY_DOMAIN) == 0)
        name->domain = DEFAULT_DOMAIN;
    return (int)length + 1;
}

/* What comes before the first slash is a host if it looks like nothing else. */
static bool is_domain(const char *text, size_t length)
{
    if (length == strlen("localhost") && strncmp(text, "localhost", length) == 0)
        return true;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '.' || text[i] == ':' || isupper((unsigned char)text[i]))
            return true;
    return false;
}

static int check_parts(const struct image_name *name, struct error *err)
{
    if (has_upper(name->path))
        return fail(err, ERR_INVALID, INVALID_FORMAT ": repository name must be lowercase");
    if (!domain_is_valid(name->domain) || !path_is_valid(name->path))
        return fail(err, ERR_INVALID, INVALID_FORMAT);
    if (name->tag != NULL && !tag_is_valid(name->tag))
        return fail(err, ERR_INVALID, INVALID_FORMAT);
    if (strlen(name->domain) + 1 + strlen(name->path) > NAME_BYTES_MAX)
        return fail(err, ERR_INVALID, "repository name must not be more than %d characters",
                    NAME_BYTES_MAX);
    return name->digest == NULL ? 0 : check_digest(name->digest, err);
}

static bool domain_is_valid(const char *domain)
{
    size_t length = strcspn(domain, ":");

    if (domain[0] == '[') {
        length = strspn(domain + 1, HEX "ABCDEF:") + 1;
        if (length == 1 || domain[length] != ']')
            return false;
        length++;
    } else {
        for (size_t start = 0, end; start <= length; start = end + 1) {
            end = start + strcspn(domain + start, ".:");
            if (!label_is_valid(domain + start, end - start))
                return false;
        }
    }
    if (domain[length] == '\0')
        return true;
    const char *port = domain + length + 1;
    return domain[length] == ':' && *port != '\0' && port[strspn(port, DIGITS)] == '\0';
}

static bool label_is_valid(const char *label, size_t length)
{
    return length > 0 && strspn(label, LOWER UPPER DIGITS "-") >= length && label[0] != '-' &&
           label[length - 1] != '-';
}

static bool path_is_valid(const char *path)
{
    for (;;) {
        size_t length = component_length(path);
        if (length == 0)
            return false;
        path += length;
        if (*path == '\0')
            return true;
        if (*path++ != '/')
            return false;
    }
}

/* Runs of letters and digits with one separator between each two; 0 when there is none. */
static size_t component_length(const char *text)
{
    size_t length = strspn(text, LOWER DIGITS);

    while (length > 0) {
        size_t separator = separator_length(text + length);
        size_t run = strspn(text + length + separator, LOWER DIGITS);
        if (separator == 0 || run == 0)
            break;
        length += separator + run;
    }
    return length;
}

static size_t separator_length(const char *text)
{
    if (text[0] == '.')
        return 1;
    if (text[0] == '_')
        return text[1] == '_' ? 2 : 1;
    return strspn(text, "-");
}

static bool tag_is_valid(const char *tag)
{
    size_t length = strlen(tag);

    return length > 0 && length <= TAG_BYTES_MAX && tag[0] != '.' && tag[0] != '-' &&
           strspn(tag, LOWER UPPER DIGITS "_.-") == length;
}

static int check_digest(const char *digest, struct error *err)
{
    size_t algorithm = strcspn(digest, ":");
    const char *hex = digest + algorithm + (digest[algorithm] == ':');
    size_t digits = strspn(hex, HEX "ABCDEF");

    if (!isalpha((unsigned char)digest[0]) ||
        strspn(digest, LOWER UPPER DIGITS "-_+.") != algorithm || digits < HEX_DIGEST_MIN ||
        hex[digits] != '\0')
        return fail(err, ERR_INVALID, INVALID_FORMAT);
    if (strncmp(digest, SHA256_PREFIX, strlen(SHA256_PREFIX)) != 0)
        return fail(err, ERR_INVALID, "unsupported digest algorithm");
    if (digits != ID_DIGITS || strspn(hex, HEX) != digits)
        return fail(err, ERR_INVALID, "invalid checksum digest length");
    return 0;
}

static bool has_upper(const char *text)
{
    return text[strcspn(text, UPPER)] != '\0';
}
