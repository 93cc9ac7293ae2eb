/* SPDX-License-Identifier: Apache-2.0 */
/* Images out: what is saved is what was loaded, to the last byte that has a digest. */
#include "lib/images.h"

static int save(struct images *images, const char *const *refs, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct byte_sink sink = { images_write_fd, &fd };

    CHECK(fd >= 0);
    int rc = image_save(&images->task, refs, &sink, &images->err);
    (void)close(fd);
    return rc;
}

static void make_tree(const char *name)
{
    WORLD_RUN("mkdir -p %s/bin %s/d && echo %s > %s/f && cp /bin/true %s/bin && ln %s/f %s/d/g &&"
              " ln -s f %s/l && truncate -s 3M %s/hole && chmod 4755 %s/bin/true",
              name, name, name, name, name, name, name, name, name, name);
}

TEST(a_saved_image_loads_as_the_same_image)
{
    static const char *const refs[] = { "one", "two:latest", NULL };
    struct images images;
    struct image before[2];
    struct image after;

    if (!images_enter(&images, "tmpfs"))
        return;
    make_tree("a");
    make_tree("b");
    CHECK(images_make(&images, "a", "one:latest") != NULL);
    CHECK(images_make(&images, "b", "two") != NULL);
    CHECK_OK(image_tag(&images.task, "one", "host:5000/x/one", "v1", &images.err), &images.err);
    CHECK_OK(image_tag(&images.task, "one", "one", "other", &images.err), &images.err);
    CHECK_OK(image_get(&images.task, "one", &before[0], &images.err), &images.err);
    CHECK_OK(image_get(&images.task, "two", &before[1], &images.err), &images.err);
    CHECK_OK(save(&images, refs, "s.tar"), &images.err);
    CHECK_OK(save(&images, refs, "again.tar"), &images.err);
    WORLD_RUN("cmp s.tar again.tar");
    WORLD_RUN("test \"$(tar -xOf s.tar manifest.json | jq -c '[.[].RepoTags]')\" = "
              "'[[\"one:latest\",\"one:other\"],[\"two:latest\"]]'");

    struct arena *mem = images.task.mem; /* what 'before' points to stays */
    images.task.mem = arena_new();
    images_close(&images);
    WORLD_RUN("rm -r " STATE);
    images_open(&images);
    CHECK_OK(images_load(&images, "s.tar"), &images.err);
    for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
        CHECK_OK(image_get(&images.task, refs[i], &after, &images.err), &images.err);
        CHECK_STR(after.id, before[i].id);
        CHECK_STR(after.config, before[i].config);
        CHECK_STR(after.chain_id, before[i].chain_id);
        CHECK_INT(after.size_bytes, before[i].size_bytes);
    }
    CHECK_OK(save(&images, refs, "third.tar"), &images.err);
    WORLD_RUN("cmp s.tar third.tar");
    arena_free(mem);
    images_close(&images);
}

TEST(skopeo_reads_both_forms_of_a_saved_archive)
{
    static const char *const refs[] = { "one", NULL };
    struct images images;
    struct image image;

    if (!images_enter(&images, "tmpfs"))
        return;
    if (!world_has("skopeo")) {
        printf("skipped: needs skopeo\n");
        return;
    }
    make_tree("a");
    CHECK(images_make(&images, "a", "one") != NULL);
    CHECK_OK(image_get(&images.task, "one", &image, &images.err), &images.err);
    CHECK_OK(save(&images, refs, "s.tar"), &images.err);
    WORLD_RUN("skopeo --insecure-policy copy -q docker-archive:s.tar:one:latest dir:d && "
              "test \"$(jq -r .config.digest d/manifest.json)\" = %s",
              image.id);
    WORLD_RUN("skopeo --insecure-policy copy -q oci-archive:s.tar:latest oci:o:latest && "
              "test -e o/blobs/sha256/%s",
              image.id + strlen("sha256:"));
    /* And back from its hands. */
    WORLD_RUN(
        "skopeo --insecure-policy copy -q oci-archive:s.tar:latest oci-archive:back.tar:two:1");
    CHECK_OK(images_load(&images, "back.tar"), &images.err);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM image"), 1);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM layer"), 1);
    images_close(&images);
}

TEST(a_layer_whose_kept_archive_is_damaged_is_not_saved)
{
    static const char *const refs[] = { "one", NULL };
    struct images images;

    if (!images_enter(&images, "tmpfs"))
        return;
    make_tree("a");
    CHECK(images_make(&images, "a", "one") != NULL);
    WORLD_RUN("head -c 600000 /dev/zero | zstd -q > x && cp x " STATE "/layers/*.tar.zst");
    CHECK_FAILS(save(&images, refs, "s.tar"), &images.err, ERR_CORRUPT);
    WORLD_RUN("head -c 999 /dev/urandom > x && cp x " STATE "/layers/*.tar.zst");
    CHECK_INT(save(&images, refs, "s.tar"), -1);
    images_close(&images);
}

TEST(import_takes_changes_and_keeps_every_attribute)
{
    static const char *const changes[] = { "CMD [\"/bin/true\"]",
                                           "ENV A=b C=\"d e\"",
                                           "ENV A=c",
                                           "EXPOSE 80 53/udp",
                                           "LABEL x=y",
                                           "WORKDIR /d",
                                           "WORKDIR e",
                                           "VOLUME /data",
                                           "USER 7:8",
                                           "STOPSIGNAL SIGINT",
                                           "HEALTHCHECK --interval=5s --retries=2 CMD true",
                                           NULL };
    struct image_import_spec spec = { .repo = "imp", .tag = "t", .changes = changes };
    struct images images;
    struct image image;
    const char *const *dirs;
    const char *id;

    if (!images_enter(&images, "tmpfs"))
        return;
    make_tree("a");
    /* GNU tar writes ACLs by name; the tree tells whose they are. */
    WORLD_RUN(
        "mkdir a/etc && cp /etc/passwd a/etc && touch a/z && setfattr -n user.k -v v a/f && setfacl -m u:33:rw a/z && chown 5:6 a/d && "
        "mkfifo a/fifo && mknod a/null c 1 3 && tar --sort=name --xattrs --acls -S -C a "
        "-cf a.tar .");
    CHECK_OK(images_import(&images, "a.tar", &spec, &id), &images.err);
    CHECK_OK(image_get(&images.task, "imp:t", &image, &images.err), &images.err);
    CHECK_STR(image.id, id);
    WORLD_RUN(
        "cat > want.json <<'EOF'\n"
        "{\"Cmd\":[\"/bin/true\"],\"Env\":[\"A=c\",\"C=d e\"],\"ExposedPorts\":{\"53/udp\":{},"
        "\"80/tcp\":{}},\"Healthcheck\":{\"Interval\":5000000000,\"Retries\":2,\"Test\":"
        "[\"CMD-SHELL\",\"true\"]},\"Labels\":{\"x\":\"y\"},\"StopSignal\":\"SIGINT\","
        "\"User\":\"7:8\",\"Volumes\":{\"/data\":{}},\"WorkingDir\":\"/d/e\"}\n"
        "EOF\n"
        "printf '%%s' '%s' | jq -cS .config | diff - want.json",
        image.config);
    CHECK_OK(image_layers(&images.task, image.chain_id, &dirs, &images.err), &images.err);
    WORLD_RUN("list() { (cd $1 && find . -printf '%%p %%y %%m %%U %%G %%s %%T@ %%l %%n\\n' | sort; "
              "getfattr -d -m '^user' f; getfacl -n z); }; list a > 1; list %s > 2; diff 1 2",
              dirs[0]);
    WORLD_RUN("test $(stat -c %%b %s/hole) = 0", dirs[0]);
    images_close(&images);
}

TEST(a_bad_change_is_told_before_a_byte_is_read)
{
    static const struct {
        const char *line;
        const char *says;
    } bad[] = {
        { "RUN true", "RUN is not a valid change command" },
        { "EXPOSE 99999", "Invalid containerPort: 99999" },
        { "ENV", "ENV requires at least one argument" },
        { "ENV A", "ENV must have two arguments" },
        { "HEALTHCHECK --x=1 CMD true", "Unknown flag: x" },
    };
    struct images images;

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN("touch never");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *const changes[] = { bad[i].line, NULL };
        struct image_import_spec spec = { .changes = changes };
        const char *id;
        CHECK_FAILS(images_import(&images, "never", &spec, &id), &images.err, ERR_INVALID);
        CHECK_STR(images.err.message, bad[i].says);
    }
    images_close(&images);
}
