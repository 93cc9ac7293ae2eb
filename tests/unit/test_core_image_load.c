/* SPDX-License-Identifier: Apache-2.0 */
/* Archives in, by both forms and all compressions, good and bad. */
#include "lib/images.h"
#include "transfer/digest.h"

#define MAKE_ROOT                                                                              \
    "mkdir -p root/bin root/etc && echo hello > root/etc/motd && ln -s motd root/etc/link && " \
    "touch -d @1000 root/etc/motd && tar --sort=name -C root -cf layer.tar . "

/* A docker-archive "x:1" of the layers named, whose tars lie in WORK. */
static void make_docker_archive(const char *layers, const char *archive)
{
    WORLD_RUN(
        "cat > make.py <<'EOF'\n"
        "import hashlib, json, sys, tarfile, os\n"
        "layers, archive = sys.argv[1].split(), sys.argv[2]\n"
        "diffs = ['sha256:' + hashlib.sha256(open(l, 'rb').read()).hexdigest() for l in layers]\n"
        "config = {'architecture': 'amd64', 'os': 'linux', 'config': {'Cmd': ['/bin/x'],"
        " 'Labels': {'a': 'b'}}, 'created': '2020-01-02T03:04:05Z',"
        " 'rootfs': {'type': 'layers', 'diff_ids': diffs},"
        " 'history': [{'created': '2020-01-02T03:04:05Z', 'created_by': 'step %%d' %% i}"
        " for i in range(len(layers))]}\n"
        "json.dump(config, open('config.json', 'w'))\n"
        "json.dump([{'Config': 'config.json', 'RepoTags': ['x:1'], 'Layers': layers}],"
        " open('manifest.json', 'w'))\n"
        "t = tarfile.open(archive, 'w')\n"
        "for n in layers + ['config.json', 'manifest.json']: t.add(n)\n"
        "EOF\n"
        "python3 make.py '%s' '%s'",
        layers, archive);
}

TEST(an_image_is_what_its_archive_says)
{
    struct images images;
    struct image image;
    const char *const *dirs;
    char digest[DIGEST_TEXT_SIZE];

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN(MAKE_ROOT);
    make_docker_archive("layer.tar", "a.tar");
    CHECK_OK(images_load(&images, "a.tar"), &images.err);
    CHECK_STR(images_said, "Loaded image: x:1\n");
    CHECK_OK(image_get(&images.task, "x:1", &image, &images.err), &images.err);
    digest_bytes(image.config, strlen(image.config), digest);
    CHECK_STR(image.id, digest);
    WORLD_RUN("test \"$(sha256sum < config.json)\" = '%s  -'", image.id + strlen("sha256:"));
    CHECK_STR(image.tags[0], "x:1");
    CHECK(image.tags[1] == NULL);
    CHECK_INT(image.created_ms / 1000, 1577934245);
    CHECK_OK(image_layers(&images.task, image.chain_id, &dirs, &images.err), &images.err);
    CHECK(dirs[0] != NULL && dirs[1] == NULL);
    WORLD_RUN("test \"$(stat -c %%Y %s/etc/motd)\" = 1000", dirs[0]);
    WORLD_RUN("diff -r root %s", dirs[0]);
    WORLD_RUN("zstd -dc %s.tar.zst | cmp - layer.tar", dirs[0]);
    WORLD_RUN("test -z \"$(ls " STATE "/tmp)\"");
    images_close(&images);
}

TEST(every_compression_gives_the_same_image)
{
    static const char *const packers[] = { "gzip", "bzip2", "xz", "zstd -q" };
    struct images images;

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN(MAKE_ROOT);
    make_docker_archive("layer.tar", "a.tar");
    CHECK_OK(images_load(&images, "a.tar"), &images.err);
    for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
        WORLD_RUN("%s < a.tar > b.tar", packers[i]);
        CHECK_OK(images_load(&images, "b.tar"), &images.err);
        /* The layer inside compressed: its diff_id is still of the plain tar. */
        WORLD_RUN("cp layer.tar plain.tar && %s < plain.tar > layer.tar", packers[i]);
        WORLD_RUN("tar -cf b.tar config.json manifest.json layer.tar && mv plain.tar layer.tar");
        CHECK_OK(images_load(&images, "b.tar"), &images.err);
    }
    CHECK_INT(images_count(&images, "SELECT count(*) FROM image"), 1);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM layer"), 1);
    WORLD_RUN("test \"$(ls " STATE "/layers | wc -l)\" = 2");
    images_close(&images);
}

TEST(layers_are_shared_by_chain_and_whiteouts_become_the_overlays)
{
    struct images images;
    struct image image;
    const char *const *dirs;

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN(MAKE_ROOT);
    WORLD_RUN("mkdir -p up/etc up/bin && touch up/etc/.wh.motd up/bin/.wh..wh..opq && "
              "tar --sort=name -C up -cf up.tar .");
    make_docker_archive("layer.tar", "a.tar");
    CHECK_OK(images_load(&images, "a.tar"), &images.err);
    make_docker_archive("layer.tar up.tar", "b.tar");
    CHECK_OK(images_load(&images, "b.tar"), &images.err);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM image"), 2);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM layer"), 2);
    CHECK_OK(image_get(&images.task, "x:1", &image, &images.err), &images.err);
    CHECK_OK(image_layers(&images.task, image.chain_id, &dirs, &images.err), &images.err);
    CHECK(dirs[0] != NULL && dirs[1] != NULL && dirs[2] == NULL);
    WORLD_RUN("test \"$(stat -c '%%F %%t:%%T' %s/etc/motd)\" = 'character special file 0:0'",
              dirs[0]);
    WORLD_RUN("test \"$(getfattr --only-values -n trusted.overlay.opaque %s/bin)\" = y", dirs[0]);
    WORLD_RUN("mkdir m && mount -t overlay -o lowerdir=%s:%s none m && test ! -e m/etc/motd && "
              "test -L m/etc/link",
              dirs[0], dirs[1]);
    /* The first lost its name to the second. */
    CHECK_INT(images_count(&images, "SELECT count(*) FROM image_tag"), 1);
    images_close(&images);
}

TEST(an_oci_archive_is_loaded_with_all_its_digests_held)
{
    struct images images;
    struct image image;

    if (!images_enter(&images, "tmpfs"))
        return;
    if (!world_has("skopeo")) {
        printf("skipped: needs skopeo\n");
        return;
    }
    WORLD_RUN(MAKE_ROOT);
    make_docker_archive("layer.tar", "a.tar");
    WORLD_RUN("skopeo --insecure-policy copy -q docker-archive:a.tar oci-archive:o.tar:y:2");
    CHECK_OK(images_load(&images, "o.tar"), &images.err);
    CHECK_STR(images_said, "Loaded image: y:2\n");
    CHECK_OK(image_get(&images.task, "y:2", &image, &images.err), &images.err);
    WORLD_RUN("test \"$(skopeo --insecure-policy inspect --config --raw oci-archive:o.tar | "
              "sha256sum)\" = '%s  -'",
              image.id + strlen("sha256:"));
    /* A layer with one byte changed; gzip notices, and without it the digest would. */
    WORLD_RUN(
        "mkdir o && tar -C o -xf o.tar && big=$(ls -S o/blobs/sha256/* | tail -1) && "
        "for f in o/blobs/sha256/*; do printf X | dd of=$f bs=1 seek=9 conv=notrunc 2>&1; done "
        "> /dev/null && tar -C o -cf bad.tar .");
    CHECK_FAILS(images_load(&images, "bad.tar"), &images.err, ERR_INVALID);
    images_close(&images);
}

TEST(a_bad_archive_leaves_nothing)
{
    static const struct {
        const char *make; /* of layer.tar */
        const char *says;
    } bad[] = {
        { "mkdir r && echo x > r/f && tar -C r -cf layer.tar --transform 's,^f,../f,' -P f",
          "entry '../f': the path has '..' in it" },
        { "head -c 3000 /dev/urandom > layer.tar", "cannot read the archive" },
        { "mkdir r && echo x > r/f && mknod r/w c 0 0 && tar -C r -cf layer.tar f w",
          "entry 'w': a device 0:0" },
        { "mkdir r && head -c 9999 /dev/urandom > r/f && tar -C r -c f | head -c 5000 > layer.tar",
          "entry 'f'" },
    };
    struct images images;

    if (!images_enter(&images, "tmpfs"))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        WORLD_RUN("rm -rf r && %s", bad[i].make);
        make_docker_archive("layer.tar", "a.tar");
        CHECK_FAILS(images_load(&images, "a.tar"), &images.err, ERR_INVALID);
        ck_assert_msg(strstr(images.err.message, bad[i].says) != NULL, "%s", images.err.message);
    }
    CHECK_INT(images_count(&images, "SELECT count(*) FROM layer"), 0);
    CHECK_INT(images_count(&images, "SELECT count(*) FROM image"), 0);
    WORLD_RUN("test -z \"$(ls " STATE "/tmp " STATE "/layers | grep -v :)\"");
    images_close(&images);
}

TEST(a_layer_that_is_not_what_the_config_says_is_refused)
{
    struct images images;

    if (!images_enter(&images, "tmpfs"))
        return;
    WORLD_RUN(MAKE_ROOT);
    make_docker_archive("layer.tar", "a.tar");
    WORLD_RUN("echo more > root/more && tar -C root -cf layer.tar . && "
              "tar -cf a.tar config.json manifest.json layer.tar");
    CHECK_FAILS(images_load(&images, "a.tar"), &images.err, ERR_INVALID);
    CHECK(strstr(images.err.message, "the layer's digest is") != NULL);
    WORLD_RUN("rm layer.tar && tar -cf a.tar config.json manifest.json");
    CHECK_FAILS(images_load(&images, "a.tar"), &images.err, ERR_INVALID);
    CHECK(strstr(images.err.message, "lacks 'layer.tar'") != NULL);
    WORLD_RUN("ln -s /etc/passwd layer.tar && tar -cf a.tar config.json manifest.json layer.tar");
    CHECK_FAILS(images_load(&images, "a.tar"), &images.err, ERR_INVALID);
    WORLD_RUN("tar -cf a.tar config.json");
    CHECK_FAILS(images_load(&images, "a.tar"), &images.err, ERR_INVALID);
    CHECK(strstr(images.err.message, "not an image archive") != NULL);
    images_close(&images);
}
