// SPDX-License-Identifier: Apache-2.0
// ap_uint<N> and ap_int<N> for kernels that are written against types of that shape. They mean the same natively and to
// hlsc, and cost what hls::bits<N> costs: ranges, bits and concatenations at constant places are wires.
//
// There is: widths of results as in ap_int.h (a sum grows by one bit, a product has both widths, a difference is
// signed, assignment cuts); mixing with built-in integers and hls::bits; x.range(high, low) and x(high, low), x[i], (a,
// b), each also assigned to; concat, bit, test, get_bit, set_bit, set, clear, invert, length, to_uint, to_int,
// to_uint64, to_int64, to_bool, and_reduce, or_reduce, xor_reduce. There is not: ap_fixed, strings, streams; ranges
// with high below low; shifts by negative amounts; ap_int<1>. Reading outside a value is undefined. Ports and table
// fields are ap_uint<N>: hardware fields are unsigned. Vitis was not run on kernels of this project.
#pragma once

#include <type_traits>
#include <utility>

#include "hls.h"

namespace hls {

template <int W, bool S>
struct ap_base;

/// x[i]
template <class Target>
struct ap_bit_ref {
  Target& target;
  int index;

  constexpr operator bool() const { return ((target.V >> index) & 1) != 0; }
  constexpr ap_bit_ref& operator=(bool value) {
    target.setBits(index, 1, value ? 1 : 0);
    return *this;
  }
  constexpr ap_bit_ref& operator=(const ap_bit_ref& other) { return *this = static_cast<bool>(other); }
  ap_bit_ref(const ap_bit_ref&) = default;
  constexpr ap_bit_ref(Target& of, int at) : target(of), index(at) {}
  constexpr int length() const { return 1; }
};

/// x.range(high, low)
template <class Target>
struct ap_range_ref {
  Target& target;
  int high, low;

  constexpr ap_range_ref(Target& of, int from, int to) : target(of), high(from), low(to) {}
  ap_range_ref(const ap_range_ref&) = default;
  constexpr int length() const { return high - low + 1; }
  constexpr auto get() const {
    constexpr int kWidth = std::remove_const_t<Target>::width;
    using Raw = unsigned _BitInt(kWidth);
    const Raw all = static_cast<Raw>(~Raw{0});
    return ap_base<kWidth, false>::of(static_cast<Raw>(static_cast<Raw>(static_cast<Raw>(target.V) >> low) &
                                                       static_cast<Raw>(all >> (kWidth - length()))));
  }
  template <class Value>
  constexpr ap_range_ref& operator=(const Value& value);
  constexpr ap_range_ref& operator=(const ap_range_ref& other) { return *this = other.get(); }
  constexpr operator unsigned long long() const { return static_cast<unsigned long long>(get().V); }
  constexpr unsigned to_uint() const { return static_cast<unsigned>(get().V); }
  constexpr unsigned long long to_uint64() const { return *this; }
};

/// (a, b): a above b. Parts are references where they were lvalues.
template <class A, class B>
struct ap_concat_ref {
  A a;
  B b;

  constexpr ap_concat_ref(A high, B low) : a(std::forward<A>(high)), b(std::forward<B>(low)) {}
  ap_concat_ref(const ap_concat_ref&) = default;
  constexpr ap_concat_ref& operator=(const ap_concat_ref& other) { return *this = other.get(); }
  constexpr int length() const;
  constexpr auto get() const;
  template <class Value>
  constexpr ap_concat_ref& operator=(const Value& value);
  constexpr operator unsigned long long() const { return static_cast<unsigned long long>(get().V); }
};

namespace ap {

template <class T>
struct IsBits : std::false_type {};
template <int W>
struct IsBits<unsigned _BitInt(W)> : std::true_type {
  static constexpr int kWidth = W;
};

template <class T>
struct IsNumber : std::false_type {};
template <int W, bool S>
struct IsNumber<ap_base<W, S>> : std::true_type {};
template <class T>
struct IsPart : std::false_type {};
template <class T>
struct IsPart<ap_bit_ref<T>> : std::true_type {};
template <class T>
struct IsPart<ap_range_ref<T>> : std::true_type {};
template <class A, class B>
struct IsPart<ap_concat_ref<A, B>> : std::true_type {};

template <class T>
inline constexpr bool kOwn = IsNumber<std::remove_cvref_t<T>>::value || IsPart<std::remove_cvref_t<T>>::value;
template <class T>
inline constexpr bool kOperand =
    kOwn<T> || std::is_integral_v<std::remove_cvref_t<T>> || IsBits<std::remove_cvref_t<T>>::value;
template <class A, class B>
concept Pair = (kOwn<A> && kOperand<B>) || (kOwn<B> && kOperand<A>);

constexpr int larger(int a, int b) {
  return a > b ? a : b;
}

template <class T>
constexpr auto number(const T& value);

/// What a C++ context wants of so many bits: an index, a condition, a switch.
template <int W, bool S>
using Builtin = std::conditional_t<
    S,
    std::conditional_t<(W <= 8), signed char,
                       std::conditional_t<(W <= 16), short, std::conditional_t<(W <= 32), int, long long>>>,
    std::conditional_t<
        (W <= 8), unsigned char,
        std::conditional_t<(W <= 16), unsigned short, std::conditional_t<(W <= 32), unsigned, unsigned long long>>>>;

}  // namespace ap

template <int W, bool S>
struct ap_base {
  static_assert(W >= (S ? 2 : 1), "an ap_uint has one bit at least, an ap_int two");
  static constexpr int width = W;
  static constexpr bool is_signed = S;
  using Raw = std::conditional_t<S, signed _BitInt(W < 2 ? 2 : W), unsigned _BitInt(W)>;

  Raw V;

  ap_base() = default;
  template <class T>
    requires(ap::kOperand<T>)
  constexpr ap_base(const T& value) : V(static_cast<Raw>(ap::number(value).V)) {}
  template <class T>
  static constexpr ap_base of(T value) {
    ap_base made;
    made.V = static_cast<Raw>(value);
    return made;
  }

  constexpr operator ap::Builtin<W, S>() const { return static_cast<ap::Builtin<W, S>>(V); }
  template <int M>
  explicit constexpr operator unsigned _BitInt(M)() const {
    return static_cast<unsigned _BitInt(M)>(V);
  }

  constexpr int length() const { return W; }
  constexpr ap_bit_ref<ap_base> operator[](int i) { return {*this, i}; }
  constexpr bool operator[](int i) const { return ((V >> i) & 1) != 0; }
  constexpr ap_bit_ref<ap_base> bit(int i) { return {*this, i}; }
  constexpr bool bit(int i) const { return (*this)[i]; }
  constexpr bool test(int i) const { return (*this)[i]; }
  constexpr bool get_bit(int i) const { return (*this)[i]; }
  constexpr void set_bit(int i, bool value) { setBits(i, 1, value ? 1 : 0); }
  constexpr void set(int i) { set_bit(i, true); }
  constexpr void clear(int i) { set_bit(i, false); }
  constexpr void invert(int i) { set_bit(i, !test(i)); }
  constexpr ap_range_ref<ap_base> range(int high, int low) { return {*this, high, low}; }
  constexpr ap_range_ref<const ap_base> range(int high, int low) const { return {*this, high, low}; }
  constexpr ap_range_ref<ap_base> operator()(int high, int low) { return range(high, low); }
  constexpr ap_range_ref<const ap_base> operator()(int high, int low) const { return range(high, low); }
  template <int W2, bool S2>
  constexpr ap_concat_ref<ap_base&, ap_base<W2, S2>&> concat(ap_base<W2, S2>& below) {
    return {*this, below};
  }
  template <int W2, bool S2>
  constexpr ap_concat_ref<const ap_base&, const ap_base<W2, S2>&> concat(const ap_base<W2, S2>& below) const {
    return {*this, below};
  }

  constexpr unsigned to_uint() const { return static_cast<unsigned>(V); }
  constexpr int to_int() const { return static_cast<int>(V); }
  constexpr unsigned long long to_uint64() const { return static_cast<unsigned long long>(V); }
  constexpr long long to_int64() const { return static_cast<long long>(V); }
  constexpr bool to_bool() const { return V != 0; }
  constexpr bool or_reduce() const { return V != 0; }
  constexpr bool and_reduce() const { return static_cast<Raw>(~V) == 0; }
  constexpr bool xor_reduce() const {
    bool odd = false;
    for (int i = 0; i < W; ++i) odd = odd != test(i);
    return odd;
  }

  template <class T>
    requires(ap::kOperand<T>)
  constexpr ap_base& operator+=(const T& other) {
    return *this = *this + other;
  }
  template <class T>
    requires(ap::kOperand<T>)
  constexpr ap_base& operator-=(const T& other) {
    return *this = *this - other;
  }
  template <class T>
    requires(ap::kOperand<T>)
  constexpr ap_base& operator*=(const T& other) {
    return *this = *this * other;
  }
  template <class T>
    requires(ap::kOperand<T>)
  constexpr ap_base& operator&=(const T& other) {
    return *this = *this & other;
  }
  template <class T>
    requires(ap::kOperand<T>)
  constexpr ap_base& operator|=(const T& other) {
    return *this = *this | other;
  }
  template <class T>
    requires(ap::kOperand<T>)
  constexpr ap_base& operator^=(const T& other) {
    return *this = *this ^ other;
  }
  constexpr ap_base& operator<<=(unsigned by) { return *this = *this << by; }
  constexpr ap_base& operator>>=(unsigned by) { return *this = *this >> by; }
  constexpr ap_base& operator++() { return *this += 1; }
  constexpr ap_base& operator--() { return *this -= 1; }
  constexpr ap_base operator++(int) {
    const ap_base before = *this;
    ++*this;
    return before;
  }
  constexpr ap_base operator--(int) {
    const ap_base before = *this;
    --*this;
    return before;
  }
  constexpr ap_base operator~() const { return of(static_cast<Raw>(~V)); }
  constexpr bool operator!() const { return V == 0; }
  constexpr ap_base operator+() const { return *this; }
  constexpr ap_base<W + 1, true> operator-() const {
    using Wide = ap_base<W + 1, true>;
    return Wide::of(static_cast<typename Wide::Raw>(-static_cast<typename Wide::Raw>(V)));
  }

  /// Bits [low, low + count) become the lowest of `value`.
  constexpr void setBits(int low, int count, unsigned _BitInt(W) value) {
    using Bits = unsigned _BitInt(W);
    const Bits ones = static_cast<Bits>(static_cast<Bits>(~Bits{0}) >> (W - count));
    const Bits kept = static_cast<Bits>(static_cast<Bits>(V) & static_cast<Bits>(~static_cast<Bits>(ones << low)));
    V = static_cast<Raw>(kept | static_cast<Bits>(static_cast<Bits>(value & ones) << low));
  }
};

namespace ap {

/// Any operand as a number.
template <class T>
constexpr auto number(const T& value) {
  if constexpr (IsNumber<T>::value) {
    return value;
  } else if constexpr (std::is_same_v<T, bool>) {
    return ap_base<1, false>::of(value ? 1 : 0);
  } else if constexpr (std::is_integral_v<T>) {
    return ap_base<static_cast<int>(sizeof(T)) * 8, std::is_signed_v<T>>::of(value);
  } else if constexpr (IsBits<T>::value) {
    return ap_base<IsBits<T>::kWidth, false>::of(value);
  } else if constexpr (requires { value.get(); }) {
    return value.get();
  } else {  // one bit
    return ap_base<1, false>::of(static_cast<bool>(value) ? 1 : 0);
  }
}

template <class T>
using Number = decltype(number(std::declval<const std::remove_cvref_t<T>&>()));

/// Bits of a part, which a range knows when it is made.
template <class T>
constexpr int lengthOf(const T& value) {
  if constexpr (requires { value.length(); })
    return value.length();
  else
    return Number<T>::width;
}

/// Room for the values of both, with their signs.
template <class A, class B>
inline constexpr int kBoth = larger(Number<A>::width + (Number<B>::is_signed && !Number<A>::is_signed),
                                    Number<B>::width + (Number<A>::is_signed && !Number<B>::is_signed));
template <class A, class B>
inline constexpr bool kEither = Number<A>::is_signed || Number<B>::is_signed;

}  // namespace ap

template <class Target>
template <class Value>
constexpr ap_range_ref<Target>& ap_range_ref<Target>::operator=(const Value& value) {
  target.setBits(low, length(), static_cast<unsigned _BitInt(Target::width)>(ap::number(value).V));
  return *this;
}

template <class A, class B>
constexpr int ap_concat_ref<A, B>::length() const {
  return ap::lengthOf(a) + ap::lengthOf(b);
}

template <class A, class B>
constexpr auto ap_concat_ref<A, B>::get() const {
  constexpr int kWidth = ap::Number<A>::width + ap::Number<B>::width;
  using Raw = unsigned _BitInt(kWidth);
  const auto high = ap::number(a);  // as wide as it is, before it becomes wider
  const auto low = ap::number(b);
  const Raw above = static_cast<unsigned _BitInt(ap::Number<A>::width)>(high.V);
  const Raw below = static_cast<unsigned _BitInt(ap::Number<B>::width)>(low.V);
  return ap_base<kWidth, false>::of(static_cast<Raw>(static_cast<Raw>(above << ap::lengthOf(b)) | below));
}

template <class A, class B>
template <class Value>
constexpr ap_concat_ref<A, B>& ap_concat_ref<A, B>::operator=(const Value& value) {
  constexpr int kWidth = ap::Number<A>::width + ap::Number<B>::width;
  using Raw = unsigned _BitInt(kWidth);
  const Raw all = static_cast<Raw>(ap::number(value).V);
  const Raw ones = static_cast<Raw>(~Raw{0});
  const auto lowest = [&](Raw bits, int count) {  // a single bit takes one bit, not "not zero"
    return ap_base<kWidth, false>::of(static_cast<Raw>(bits & static_cast<Raw>(ones >> (kWidth - count))));
  };
  a = lowest(static_cast<Raw>(all >> ap::lengthOf(b)), ap::lengthOf(a));
  b = lowest(all, ap::lengthOf(b));
  return *this;
}

#define HLS_AP_OPERATOR(sign, result_width, result_signed)                                                         \
  template <class A, class B>                                                                                      \
    requires(ap::Pair<A, B>)                                                                                       \
  constexpr auto operator sign(const A& a, const B& b) {                                                           \
    using Result = ap_base<(result_width), (result_signed)>;                                                       \
    using Raw = typename Result::Raw;                                                                              \
    return Result::of(static_cast<Raw>(static_cast<Raw>(ap::number(a).V) sign static_cast<Raw>(ap::number(b).V))); \
  }
HLS_AP_OPERATOR(+, (ap::kBoth<A, B> + 1), (ap::kEither<A, B>))
HLS_AP_OPERATOR(-, (ap::kBoth<A, B> + 1), true)
HLS_AP_OPERATOR(*, (ap::Number<A>::width + ap::Number<B>::width), (ap::kEither<A, B>))
HLS_AP_OPERATOR(&, (ap::kBoth<A, B>), (ap::kEither<A, B>))
HLS_AP_OPERATOR(|, (ap::kBoth<A, B>), (ap::kEither<A, B>))
HLS_AP_OPERATOR(^, (ap::kBoth<A, B>), (ap::kEither<A, B>))
#undef HLS_AP_OPERATOR

#define HLS_AP_COMPARE(sign)                                                         \
  template <class A, class B>                                                        \
    requires(ap::Pair<A, B>)                                                         \
  constexpr bool operator sign(const A& a, const B& b) {                             \
    using Raw = typename ap_base<ap::kBoth<A, B>, ap::kEither<A, B>>::Raw;           \
    return static_cast<Raw>(ap::number(a).V) sign static_cast<Raw>(ap::number(b).V); \
  }
HLS_AP_COMPARE(==)
HLS_AP_COMPARE(!=)
HLS_AP_COMPARE(<)
HLS_AP_COMPARE(<=)
HLS_AP_COMPARE(>)
HLS_AP_COMPARE(>=)
#undef HLS_AP_COMPARE

/// For values as large as they come: hlsc takes divisions by powers of two only.
template <class A, class B>
  requires(ap::Pair<A, B>)
constexpr auto operator/(const A& a, const B& b) {
  using Result = ap_base<ap::Number<A>::width + ap::Number<B>::is_signed, ap::kEither<A, B>>;
  using Raw = typename ap_base<ap::kBoth<A, B> + 1, ap::kEither<A, B>>::Raw;
  return Result::of(static_cast<Raw>(ap::number(a).V) / static_cast<Raw>(ap::number(b).V));
}
template <class A, class B>
  requires(ap::Pair<A, B>)
constexpr auto operator%(const A& a, const B& b) {
  constexpr bool kSigned = ap::Number<A>::is_signed;
  constexpr int kOther = ap::Number<B>::width + (!ap::Number<B>::is_signed && kSigned);
  using Result = ap_base<(ap::Number<A>::width < kOther ? ap::Number<A>::width : kOther), kSigned>;
  using Raw = typename ap_base<ap::kBoth<A, B> + 1, ap::kEither<A, B>>::Raw;
  return Result::of(static_cast<Raw>(ap::number(a).V) % static_cast<Raw>(ap::number(b).V));
}

/// As wide as what is shifted. By its width or more: zero, or the sign.
template <class A, class B>
  requires(ap::kOwn<A> && ap::kOperand<B>)
constexpr auto operator<<(const A& a, const B& by) {
  using Result = ap::Number<A>;
  const auto amount = static_cast<unsigned>(ap::number(by).V);
  return amount < static_cast<unsigned>(Result::width)
             ? Result::of(static_cast<unsigned _BitInt(Result::width)>(ap::number(a).V) << amount)
             : Result::of(0);
}
template <class A, class B>
  requires(ap::kOwn<A> && ap::kOperand<B>)
constexpr auto operator>>(const A& a, const B& by) {
  using Result = ap::Number<A>;
  const auto value = ap::number(a);
  const auto amount = static_cast<unsigned>(ap::number(by).V);
  const bool inside = amount < static_cast<unsigned>(Result::width);
  return inside ? Result::of(value.V >> amount) : Result::of(value.V < 0 ? -1 : 0);
}

/// (a, b)
template <class A, class B>
  requires(ap::kOwn<A> && ap::kOwn<B>)
constexpr ap_concat_ref<A, B> operator,(A&& a, B&& b) {
  return {std::forward<A>(a), std::forward<B>(b)};
}

}  // namespace hls

template <int N>
using ap_uint = hls::ap_base<N, false>;
template <int N>
using ap_int = hls::ap_base<N, true>;
