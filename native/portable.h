/* Engine `portable`: training steps of small language models whose bits do not depend on the machine.
 *
 * README.md has the recipe: the order of every sum and the place of every rounding. All functions are thread-compatible;
 * one trainer must not be used by two threads at once. Weights, gradients and bfloat16 states are arrays of 16-bit words.
 */
#ifndef BH_PORTABLE_H
#define BH_PORTABLE_H

#include <stdint.h>

#define BH_RECIPE 1 /* changes whenever a bit of a result changes */

#define BH_API __attribute__((visibility("default")))

typedef uint16_t bh_bf16; /* the upper half of a float32 */

enum { BH_RMS_NORM = 0, BH_LAYER_NORM = 1 };
enum { BH_GELU = 0, BH_SWIGLU = 1 };

/* The architecture of a model. All fields are 32 bits wide, so that other languages can write them as an array. */
typedef struct {
  int32_t vocabulary;
  int32_t positions; /* the longest sequence; rows of the learned position embedding */
  int32_t hidden;
  int32_t layers;
  int32_t heads;    /* of queries */
  int32_t kv_heads; /* of keys and values; divides heads */
  int32_t head_size;
  int32_t inner;     /* width of the MLP */
  int32_t norm;      /* BH_RMS_NORM or BH_LAYER_NORM */
  int32_t mlp;       /* BH_GELU (gelu_new) or BH_SWIGLU */
  int32_t rope;      /* 1: rotary positions, no learned position embedding */
  int32_t head_norm; /* 1: RMS norms of queries and keys (Qwen3) */
  int32_t attention_bias; /* 1: query, key, value and output projections have biases */
  int32_t mlp_bias;
  int32_t out_first; /* 1: linear weights are [out, in] (nn.Linear); 0: [in, out] (Conv1D) */
  int32_t tied;      /* 1: the head is the token embedding */
  float epsilon;     /* of all norms */
  float rope_theta;  /* base of the rotary frequencies */
} bh_shape;

/* Tensors of a model, in this order. Those in brackets exist only where the shape says so.
 *
 *   token embedding [vocabulary, hidden], [position embedding [positions, hidden]]
 *   for each layer:
 *     norm weight, [norm bias],
 *     GPT-2 (mlp = BH_GELU): one projection to queries, keys and values, [bias]
 *     otherwise: query projection, [bias], key projection, [bias], value projection, [bias]
 *     output projection, [bias], [query norm, key norm] [head_size]
 *     norm weight, [norm bias],
 *     GELU: up, [bias], down, [bias];  SwiGLU: gate, [bias], up, [bias], down, [bias]
 *   norm weight, [norm bias], [head [vocabulary, hidden]]
 */

typedef struct bh_trainer bh_trainer;

/* Version of the recipe. */
BH_API int32_t bh_recipe(void);

/* Hash of a small fixed training with every kind of layer. Equal for all correct builds of a recipe. About 10 ms. */
BH_API uint64_t bh_self_check(void);

/* A trainer for a shape. scales: factor of the attention scores of each layer. threads: used by bh_gradients.
 * Returns NULL if the shape is impossible or memory is missing. */
BH_API bh_trainer *bh_open(const bh_shape *shape, const float *scales, int32_t threads);
BH_API void bh_close(bh_trainer *trainer);

/* Number of tensors of the model, and the number of elements of one of them. */
BH_API int32_t bh_tensor_count(const bh_trainer *trainer);
BH_API int64_t bh_tensor_size(const bh_trainer *trainer, int32_t index);

/* Loss and gradients of a batch.
 *
 * tokens [batch, length]; targets [batch, length]: the token to predict at each position, or a negative number for none.
 * items: the number by which the sum of losses is divided.
 * gradients: one array per tensor; NULL computes the loss only. With `accumulate`, gradients are added to what is there,
 * rounded to bfloat16 once more, as autograd does.
 * loss: the sum of the losses of the positions divided by items, float64.
 * Returns 0, or -1 if memory is missing or a token or the length is out of range (nothing is written then). */
BH_API int32_t bh_gradients(bh_trainer *trainer, const bh_bf16 *const *weights, bh_bf16 *const *gradients,
                            const int32_t *tokens, const int32_t *targets, int32_t batch, int32_t length, double items,
                            int32_t accumulate, double *loss);

/* Norm of all gradients as one vector, as torch computes it from bfloat16 tensors (each norm and the total are rounded to
 * bfloat16). With max_norm > 0, gradients are multiplied by min(1, max_norm / (norm + 1e-6)), rounded as torch does. */
BH_API float bh_clip(bh_bf16 *const *gradients, const int64_t *sizes, int32_t count, float max_norm);

/* Settings of an AdamW step of one tensor. All fields are 64 bits wide. */
typedef struct {
  double learning_rate;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  int64_t step; /* of this update, from 1 */
} bh_adamw_settings;

/* One step of decoupled AdamW, computed in float32. first, second: the moments, bfloat16 (wide = 0) or float32 (wide = 1).
 * master: float32 copy of the weights that is stepped and rounded into them; NULL to step the weights themselves. */
BH_API void bh_adamw(bh_bf16 *weight, const bh_bf16 *gradient, void *first, void *second, float *master, int64_t size,
                     int32_t wide, const bh_adamw_settings *settings);

/* Standard normal numbers from uniform ones in [0, 1), in place, by Box and Muller as torch pairs them: in groups of 16,
 * element i < 8 gives the radius and element i + 8 the angle. count is a multiple of 16. */
BH_API void bh_normals(float *values, int64_t count);

/* Divide a vector by its Euclidean norm, in float32 or (narrow = 1) with every result rounded to bfloat16. */
BH_API void bh_unit_vector(float *values, int64_t count, int32_t narrow);

/* torch's CPU generator (Mersenne Twister): for the browser, which has no torch. */
typedef struct {
  uint32_t words[624];
  int32_t next;
} bh_stream;
BH_API void bh_seed(bh_stream *stream, uint64_t seed);
BH_API uint32_t bh_random(bh_stream *stream);
/* As torch.rand: count float32 numbers in [0, 1). */
BH_API void bh_uniforms(bh_stream *stream, float *values, int64_t count);
/* As torch.randperm of a generator with this seed, for count < 2^32. */
BH_API void bh_permutation(uint64_t seed, int32_t *order, int64_t count);

/* Memory for callers without an allocator (WebAssembly). */
BH_API void *bh_allocate(int64_t bytes);
BH_API void bh_free(void *memory);

#endif
