namespace IndexOperator.E2E;

/// <summary>
/// What people get wrong: each is refused within half a minute, with its own reason and a message that names what is wrong and what to
/// do, while a good resource of the same namespace becomes Ready.
/// </summary>
public sealed class BadInputTests(Cluster cluster) : ScenarioTests(cluster, "bad")
{
    private string Data => Here.Volume("corpus");

    [Fact]
    public async Task A_missing_idx_is_DataMissing()
    {
        Scenario.WriteText(Data, "bad", 10);
        File.Delete(Path.Combine(Data, "bad.idx"));
        await RefuseAsync("DataMissing", Scenario.Manifest("bad", dataset: "bad"), "/data/bad.idx");
    }

    [Fact]
    public async Task A_truncated_idx_is_DataCorrupt()
    {
        Scenario.WriteText(Data, "bad", 10);
        Shorten(Path.Combine(Data, "bad.idx"), 3);
        await RefuseAsync("DataCorrupt", Scenario.Manifest("bad", dataset: "bad"), "/data/bad.idx");
    }

    [Fact]
    public async Task A_bin_that_is_too_short_is_DataCorrupt()
    {
        Scenario.WriteText(Data, "bad", 10);
        Shorten(Path.Combine(Data, "bad.bin"), 10);
        await RefuseAsync("DataCorrupt", Scenario.Manifest("bad", dataset: "bad"), "/data/bad.bin");
    }

    [Fact]
    public async Task A_link_that_leaves_the_mount_is_not_followed()
    {
        File.CreateSymbolicLink(Path.Combine(Data, "bad.idx"), "/etc/hostname");
        File.CreateSymbolicLink(Path.Combine(Data, "bad.bin"), "/etc/hostname");
        await RefuseAsync("InvalidSpec", Scenario.Manifest("bad", dataset: "bad"), "/data/bad.idx", "link to", "outside");
    }

    [Fact]
    public async Task A_file_that_the_builder_may_not_read_is_PermissionDenied()
    {
        Scenario.WriteText(Data, "bad", 10);
        File.SetUnixFileMode(Path.Combine(Data, "bad.idx"), UnixFileMode.UserRead);
        await RefuseAsync("PermissionDenied", Scenario.Manifest("bad", dataset: "bad"), "/data/bad.idx", "runAsUser");
    }

    [Fact]
    public async Task A_cache_on_a_read_only_file_system_is_ReadOnlyCache()
    {
        var folder = Directory.CreateDirectory(Here.Volume("read-only")).FullName;
        await Cluster.RunAsync("mount", "--bind", folder, folder);
        try
        {
            await Cluster.RunAsync("mount", "-o", "remount,bind,ro", folder);
            await Here.AddVolumeAsync("read-only");
            await RefuseAsync("ReadOnlyCache", Scenario.Manifest("bad", cacheClaim: "read-only"), "claim read-only", "Mount the cache writable");
            await Here.KubectlAsync("delete", "pretrainindex", "bad", Cluster.Timeout);
        }
        finally
        {
            await Cluster.RunAsync("umount", "--lazy", folder);
        }
    }

    [Fact]
    public async Task A_cache_that_the_builder_may_not_write_is_PermissionDenied()
    {
        var folder = await Here.AddVolumeAsync("closed");
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await RefuseAsync("PermissionDenied", Scenario.Manifest("bad", cacheClaim: "closed"), "claim closed", "fsGroup");
    }

    [Fact]
    public async Task A_claim_that_is_not_there_is_ClaimMissing_until_it_is_made()
    {
        await RefuseAsync("ClaimMissing", Scenario.Manifest("bad", cacheClaim: "later"), "spec.cache.claimName", "\"later\"", "Create it");
        await Here.AddVolumeAsync("later");
        await Here.ReadyAsync("bad");
    }

    [Fact]
    public async Task No_GPU_node_is_Unschedulable_until_there_is_one()
    {
        var node = (string)Assert.Single(await Here.Cluster.ListAsync("nodes"))["metadata"]!["name"]!;
        await Here.Cluster.KubectlAsync("label", "node", node, $"{Cluster.GpuLabel}-");
        try
        {
            await RefuseAsync("Unschedulable", Scenario.Manifest("bad"), "spec.build.placement");
        }
        finally
        {
            await Here.Cluster.KubectlAsync("label", "node", node, $"{Cluster.GpuLabel}=true", "--overwrite");
        }

        await Here.ReadyAsync("bad");
    }

    [Fact]
    public async Task An_image_that_cannot_be_pulled_is_ImagePull_until_the_operator_is_given_another()
    {
        await SetBuilderImageAsync("127.0.0.1:1/index-builder:none");
        try
        {
            await Here.ApplyAsync(Scenario.Manifest("bad"));
            var message = await Here.RefusedAsync("bad", "ImagePull");
            Assert.Contains("127.0.0.1:1/index-builder:none", message, StringComparison.Ordinal);
            Assert.Contains("--builder-image", message, StringComparison.Ordinal);
        }
        finally
        {
            await SetBuilderImageAsync("indexoperator/builder:dev");
        }

        await Here.ReadyAsync("bad");
    }

    private static void Shorten(string file, int bytes)
    {
        using var content = File.Open(file, FileMode.Open);
        content.SetLength(content.Length - bytes);
    }

    private async Task RefuseAsync(string reason, string bad, params string[] words)
    {
        await Here.ApplyAsync(bad);
        // Of other content: for the same it would wait while the bad one may still build it.
        await Here.ApplyAsync(Scenario.Manifest("good", sequenceLength: 32, build: "{placement: Any}"));
        var message = await Here.RefusedAsync("bad", reason);
        Assert.All(words, word => Assert.Contains(word, message, StringComparison.Ordinal));
        await Here.ReadyAsync("good");
    }

    private async Task SetBuilderImageAsync(string image)
    {
        var patch = $$"""[{"op": "replace", "path": "/spec/template/spec/containers/0/args/0", "value": "--builder-image={{image}}"}]""";
        await Here.KubectlAsync("-n", Cluster.OperatorNamespace, "patch", Cluster.Deployment, "--type=json", "-p", patch);
        await Here.Cluster.RolloutAsync();
    }
}
