"""What Megatron-Core does to build an index cache, step by step, with the same numpy calls: what index-builder is measured against.

    reference.py MANIFEST FROM TO OUTPUT KERNELS RESULT [MODULE...]

MANIFEST is a PretrainIndex written as JSON. Data declared below FROM is read below TO. Files go into OUTPUT. RESULT receives the
seconds of each phase as JSON. MODULEs are imported and not used, as Megatron-Core imports torch. One thread; int64 grids, concatenations and casts as there, since they are most of the cost.
"""

import time

STARTED = time.perf_counter()

# pylint: disable=wrong-import-position
import ctypes
import hashlib
import json
import math
import os
import re
import struct
import sys

import numpy

for module in sys.argv[7:]:
    __import__(module)
IMPORTED = time.perf_counter()

PHASES = {}
SPLITS = ("train", "valid", "test")


class Timed:  # pylint: disable=too-few-public-methods
    """Adds the time of a block to a phase."""

    def __init__(self, phase):
        self.phase = phase

    def __enter__(self):
        self.started = time.perf_counter()

    def __exit__(self, *_):
        PHASES[self.phase] = PHASES.get(self.phase, 0.0) + time.perf_counter() - self.started


def load_kernels(path):
    """The C++ loops."""
    kernels = ctypes.CDLL(path)
    array, long = ctypes.c_void_p, ctypes.c_int64
    kernels.build_sample_index.argtypes = [array, array, long, long, long, long, array]
    kernels.build_sample_index.restype = None
    kernels.build_blend.argtypes = [array, ctypes.c_int32, long, array, array]
    kernels.build_blend.restype = None
    return kernels


class Data:  # pylint: disable=too-few-public-methods
    """An .idx file, mapped; its arrays are views of the map. The .bin is mapped too and never touched."""

    def __init__(self, path):
        with open(path + ".idx", "rb") as stream:
            assert stream.read(9) == b"MMIDIDX\x00\x00"
            version, _, sequences, documents = struct.unpack("<QBQQ", stream.read(25))
            assert version == 1
            offset = stream.tell()
        self.map = numpy.memmap(path + ".idx", mode="r", order="C")
        buffer = memoryview(self.map)
        self.lengths = numpy.frombuffer(buffer, dtype=numpy.int32, count=sequences, offset=offset)
        self.pointers = numpy.frombuffer(buffer, dtype=numpy.int64, count=sequences, offset=offset + 4 * sequences)
        self.documents = numpy.frombuffer(buffer, dtype=numpy.int64, count=documents, offset=offset + 12 * sequences)
        assert self.lengths.shape[0] == sequences == self.documents[-1]
        self.bin = numpy.memmap(path + ".bin", mode="r", order="C")


class GptDataset:
    """One dataset in one split."""

    def __init__(self, run, prefix, data, split, indices, num_samples):  # pylint: disable=too-many-arguments
        self.run, self.data, self.split, self.indices, self.num_samples = run, data, split, indices, num_samples
        self.identity = {
            "class": "GPTDataset",
            "dataset_path": prefix,
            "num_samples": num_samples,
            "index_split": split,
            "random_seed": run.seed,
            "sequence_length": run.sequence_length,
            "split": run.split,
            "split_matrix": run.matrix,
            "tokenizer": run.tokenizer,
        }
        with Timed("describe"):
            self.description = json.dumps(self.identity, indent=4)
            self.hash = hashlib.md5(self.description.encode("utf-8"), usedforsecurity=False).hexdigest()
        self.samples = self.build()

    def epochs(self, tokens_per_epoch):
        """Epochs that give the samples asked for, counted one after the other."""
        epochs, tokens = 1, tokens_per_epoch
        if self.num_samples is not None:
            needed = self.num_samples * self.run.sequence_length + 1
            assert tokens_per_epoch > 0, "Megatron would count epochs for ever"
            while tokens < needed:
                epochs += 1
                tokens += tokens_per_epoch
        return epochs

    def build(self):
        """Computes and saves the three arrays."""
        length = self.run.sequence_length
        with Timed("tokens"):
            tokens = int(numpy.sum(self.data.lengths[self.indices]))
        epochs = self.epochs(tokens)
        separate, sans_final = False, 0
        if epochs > 1:
            sans_final = ((epochs - 1) * tokens - 1) // length
            from_final = self.num_samples - sans_final
            per_epoch = (tokens - 1) // length
            assert 0 <= from_final <= per_epoch + 1
            separate = from_final < int(0.80 * per_epoch)
        random = numpy.random.RandomState(self.run.seed)  # pylint: disable=no-member

        with Timed("documentIndex"):
            document_index = build_document_index(self.indices, epochs, random, separate)
        with Timed("sampleIndex"):
            if len(document_index) * 2 > len(self.data.lengths):
                lengths = self.data.lengths.copy()  # sooner or later every page is read, and in no order
            else:
                lengths = self.data.lengths
            sample_index = self.build_sample_index(lengths, document_index, (epochs * tokens - 1) // length)
        total = sample_index.shape[0] - 1
        with Timed("shuffleIndex"):
            shuffle_index = build_shuffle_index(sans_final if separate else total, total, random)

        with Timed("save"):
            with open(self.path("description.txt"), "wt", encoding="utf-8") as file:
                file.write(self.description)
            numpy.save(self.path("document_index.npy"), document_index, allow_pickle=True)
            numpy.save(self.path("sample_index.npy"), sample_index, allow_pickle=True)
            numpy.save(self.path("shuffle_index.npy"), shuffle_index, allow_pickle=True)
        return total

    def build_sample_index(self, lengths, document_index, samples):
        """Rows of the sample index, whose numbers fit into 32 bits in all these works."""
        bound = max(document_index.shape[0], lengths.max())
        assert bound <= numpy.iinfo(numpy.int32).max
        rows = numpy.empty((samples + 1, 2), dtype=numpy.int32)
        self.run.kernels.build_sample_index(
            lengths.ctypes.data, document_index.ctypes.data, document_index.shape[0], self.run.sequence_length, 1, samples, rows.ctypes.data
        )
        assert rows.min() >= 0 and rows.max() <= bound
        return rows

    def path(self, what):
        """Where a file of this dataset goes."""
        return os.path.join(self.run.output, f"{self.hash}-GPTDataset-{self.split}-{what}")


def build_document_index(documents, epochs, random, separate):
    """Every document once an epoch, shuffled; the last epoch for itself when it is separate."""
    if separate and epochs > 1:
        first = build_document_index(documents, epochs - 1, random, False)
        last = build_document_index(documents, 1, random, False)
        return numpy.concatenate((first, last))
    index = numpy.mgrid[0:epochs, 0 : len(documents)][1]
    index[:] = documents
    index = index.reshape(-1).astype(numpy.int32)
    with Timed("documentShuffle"):
        random.shuffle(index)
    return index


def build_shuffle_index(together, total, random):
    """Sample numbers, shuffled; those from `together` on among themselves."""
    kind = numpy.uint32 if total < numpy.iinfo(numpy.uint32).max - 1 else numpy.int64
    first = numpy.arange(start=0, stop=together, step=1, dtype=kind)
    random.shuffle(first)
    if together == total:
        return first
    last = numpy.arange(start=together, stop=total, step=1, dtype=kind)
    random.shuffle(last)
    return numpy.concatenate((first, last))


def normalize(weights):
    """Shares of one."""
    array = numpy.array(weights, dtype=numpy.float64)
    return (array / numpy.sum(array)).tolist()


class Run:  # pylint: disable=too-many-instance-attributes
    """A whole cache."""

    def __init__(self, manifest, source, target, output, kernels):  # pylint: disable=too-many-arguments
        with open(manifest, encoding="utf-8") as file:
            spec = json.load(file)["spec"]
        dataset = spec["dataset"]
        samples = dataset.get("samples", {})
        self.sizes = [samples.get("train"), samples.get("validation"), samples.get("test")]
        self.blend = spec["data"]["blend"]
        self.seed, self.sequence_length, self.split = dataset["randomSeed"], dataset["sequenceLength"], dataset["split"]
        self.tokenizer = json.loads(dataset["tokenizer"]["identifiers"])
        self.source, self.target, self.output, self.kernels = source, target, output, load_kernels(kernels)
        self.matrix = self.split_matrix()
        os.makedirs(output, exist_ok=True)

    def split_matrix(self):
        """Where each split begins and ends, as shares."""
        parts = [float(part) for part in re.findall(r"[.0-9]+", self.split)]
        ends = [0]
        for share in normalize(parts + [0.0] * (3 - len(parts))):
            ends.append(ends[-1] + share)
        return [[begin, end] if end > begin else None for begin, end in zip(ends, ends[1:])]

    def members(self, prefix, sizes):
        """A prefix in every split."""
        with Timed("read"):
            data = Data(self.target + prefix[len(self.source) :])
        found = []
        for split, bounds, size in zip(SPLITS, self.matrix, sizes):
            if bounds is None:
                found.append(None)
                continue
            begin, end = (int(round(bound * float(data.lengths.shape[0]))) for bound in bounds)
            with Timed("tokens"):
                indices = numpy.arange(start=begin, stop=end, step=1, dtype=numpy.int32)
            found.append(GptDataset(self, prefix, data, split, indices, size))
        return found

    def build(self):
        """Everything that the manifest declares."""
        if len(self.blend) == 1 and self.blend[0].get("weight") is None:
            self.members(self.blend[0]["prefix"], self.sizes)
            return
        weights = normalize([entry["weight"] for entry in self.blend])
        targets = [[None if size is None else math.ceil(size * weight) for size in self.sizes] for weight in weights]
        surplus = 1 + 0.005
        members = [
            self.members(entry["prefix"], [None if target is None else math.ceil(target * surplus) for target in wanted])
            for entry, wanted in zip(self.blend, targets)
        ]
        for split, name in enumerate(SPLITS):
            if self.matrix[split] is not None:
                self.build_blend([member[split] for member in members], name, weights, sum(wanted[split] for wanted in targets))

    def build_blend(self, members, split, weights, size):
        """Which member each sample of a split comes from."""
        shares = normalize(weights)
        identity = {"class": "BlendedDataset", "datasets": members, "split": split, "weights": shares, "size": size}
        with Timed("describe"):
            description = json.dumps(identity, indent=4, default=lambda member: member.identity)
            stem = hashlib.md5(description.encode("utf-8"), usedforsecurity=False).hexdigest()
        with Timed("blend"):
            dataset_index = numpy.zeros(size, dtype=numpy.int16)
            dataset_sample_index = numpy.zeros(size, dtype=numpy.int64)
            doubles = numpy.array(shares, dtype=numpy.float64)
            with Timed("blendLoop"):
                self.kernels.build_blend(doubles.ctypes.data, len(members), size, dataset_index.ctypes.data, dataset_sample_index.ctypes.data)
        with Timed("save"):
            stem = os.path.join(self.output, f"{stem}-BlendedDataset-{split}-")
            with open(stem + "description.txt", "wt", encoding="utf-8") as file:
                file.write(description)
            numpy.save(stem + "dataset_index.npy", dataset_index, allow_pickle=True)
            numpy.save(stem + "dataset_sample_index.npy", dataset_sample_index, allow_pickle=True)
        with Timed("blendCheck"):
            used, counts = numpy.unique(dataset_index, return_counts=True)
            for member, count in zip(used, counts):
                assert count <= members[member].samples, f"the {split} blend oversamples {member}"


def main():
    """Builds, then tells the times."""
    manifest, source, target, output, kernels, result = sys.argv[1:7]
    Run(manifest, source, target, output, kernels).build()
    ended = time.perf_counter()
    with open(result, "w", encoding="ascii") as file:
        json.dump({"importSeconds": IMPORTED - STARTED, "workSeconds": ended - IMPORTED, "phases": PHASES}, file)


main()
