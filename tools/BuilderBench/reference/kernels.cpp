// The two loops that Megatron-Core has in C++, one element at a time as it has them. Compiled without -march, as its x86-64
// wheels are: with fused multiply-add the blend would come out differently.
#include <algorithm>
#include <cstdint>
#include <vector>

extern "C" {

// Walks the documents in shuffled order and notes where each sample begins: (position in the document index, token offset).
// Neighbours share `extra` tokens. `rows` has room for 2 * (samples + 1) numbers.
void build_sample_index(const int32_t *lengths, const int32_t *documents, int64_t document_count, int64_t sequence_length,
                        int64_t extra, int64_t samples, int32_t *rows) {
  int64_t position = 0;
  int64_t offset = 0;
  rows[0] = 0;
  rows[1] = 0;
  for (int64_t sample = 1; sample <= samples; ++sample) {
    int64_t need = sequence_length + extra;
    while (need != 0) {
      const int64_t length = lengths[documents[position]] - offset;
      need -= length;
      if (need <= 0) {
        offset += need + length - extra;
        need = 0;
      } else if (position == document_count - 1) {
        offset = lengths[documents[position]] - extra;
        break;
      } else {
        ++position;
        offset = 0;
      }
    }
    rows[2 * sample] = static_cast<int32_t>(position);
    rows[2 * sample + 1] = static_cast<int32_t>(offset);
  }
}

// Gives each sample of a blend to the dataset that is furthest behind its share; the first of equals.
void build_blend(const double *weights, int32_t datasets, int64_t size, int16_t *dataset_index, int64_t *dataset_sample_index) {
  std::vector<int64_t> drawn(datasets, 0);
  for (int64_t sample = 0; sample < size; ++sample) {
    const double expected = std::max(static_cast<double>(sample), 1.0);
    int64_t best = 0;
    double largest = weights[0] * expected - static_cast<double>(drawn[0]);
    for (int64_t dataset = 1; dataset < datasets; ++dataset) {
      const double error = weights[dataset] * expected - static_cast<double>(drawn[dataset]);
      if (error > largest) {
        largest = error;
        best = dataset;
      }
    }
    dataset_index[sample] = static_cast<int16_t>(best);
    dataset_sample_index[sample] = drawn[best];
    drawn[best] += 1;
  }
}
}
