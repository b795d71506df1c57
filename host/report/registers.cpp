// SPDX-License-Identifier: Apache-2.0
#include "registers.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <numeric>

namespace poplink::host {

namespace {

using card_map::Register;
using card_map::RegisterField;
using driver::Access;

constexpr std::size_t kSuggestions = 5;

/// Least number of letters to add, drop or change.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

/// ": did you mean a, b?" of the names like `name`; empty: none is.
template <class Named>
std::string suggestion(std::string_view name, const Named& list) {
  std::vector<std::pair<std::size_t, std::string_view>> close;
  for (const auto& one : list) {
    const std::size_t apart = distance(name, one.name);
    const bool alike = apart <= std::max<std::size_t>(2, name.size() / 3);
    const bool part = name.size() >= 2 && one.name.find(name) != std::string_view::npos;
    if (alike || part) close.emplace_back(alike ? apart : name.size() + one.name.size(), one.name);
  }
  std::sort(close.begin(), close.end());
  if (close.empty()) return "";
  std::string text;
  for (std::size_t i = 0; i < std::min(close.size(), kSuggestions); ++i)
    text += (i == 0 ? "" : ", ") + std::string(close[i].second);
  return "; did you mean " + text + "?";
}

template <class Named>
auto find(std::string_view name, const Named& list) {
  return std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.name == name; });
}

std::optional<std::uint64_t> number(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::uint32_t maskOf(const RegisterField& field) {
  return field.bits.with(static_cast<std::uint32_t>((std::uint64_t{1} << field.bits.width) - 1));
}

template <class Choose>
std::uint32_t maskOf(const Register& which, Choose choose) {
  std::uint32_t mask = 0;
  for (const RegisterField& field : which.fields) mask |= choose(field) ? maskOf(field) : 0;
  return mask;
}
std::uint32_t readable(const Register& which) {
  return maskOf(which, [](const RegisterField& field) { return field.readable; });
}
std::uint32_t writable(const Register& which) {
  return maskOf(which, [](const RegisterField& field) { return field.writable; });
}
/// What a write of one field must not change.
std::uint32_t kept(const Register& which) {
  return maskOf(which, [](const RegisterField& field) { return field.readable && field.writable; });
}

void parseValue(RegisterRequest& request, const std::string& name, const std::string& text) {
  const auto value = number(text);
  if (!value)
    throw RegisterError("'" + text + "' is no value for " + name + ": a number, or 0x and hexadecimal digits");
  const Register& which = *request.which;
  if (request.field != nullptr) {
    if (!request.field->writable) throw RegisterError(name + " cannot be written");
    if (*value >> request.field->bits.width != 0) {
      throw RegisterError(text + " does not fit the " + std::to_string(request.field->bits.width) + " bits of " + name);
    }
  } else {
    if (writable(which) == 0) throw RegisterError(name + " cannot be written");
    if (*value >> 32 != 0) throw RegisterError(text + " does not fit the 32 bits of " + name);
    if ((*value & ~std::uint64_t{writable(which)}) != 0) {
      char mask[16];
      std::snprintf(mask, sizeof mask, "0x%x", writable(which));
      throw RegisterError(text + " has bits that cannot be written: of " + name + ", those of " + mask + " can");
    }
  }
  if (which.count != 0 && !request.index)
    throw RegisterError(name + " are " + std::to_string(which.count) + " registers: say which, as " +
                        std::string(which.name) + "[0]");
  request.value = static_cast<std::uint32_t>(*value);
}

}  // namespace

RegisterRequest parseRegister(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const std::size_t dot = name.find('.');
  std::string of_register = name.substr(0, dot);
  RegisterRequest request;
  std::string index;
  if (const std::size_t bracket = of_register.find('['); bracket != std::string::npos) {
    if (of_register.back() != ']') throw RegisterError("'" + name + "' is no register: its index has no end");
    index = of_register.substr(bracket + 1, of_register.size() - bracket - 2);
    of_register.resize(bracket);
  }
  const auto found = find(of_register, card_map::kRegisters);
  if (found == card_map::kRegisters.end())
    throw RegisterError("the card has no register '" + of_register + "'" +
                        suggestion(of_register, card_map::kRegisters));
  request.which = &*found;
  if (name.find('[') != std::string::npos) {
    if (found->count == 0) throw RegisterError("'" + name + "': " + of_register + " is a single register");
    const auto at = number(index);
    if (!at || *at >= found->count)
      throw RegisterError("'" + name + "': " + of_register + " has the indices 0 to " +
                          std::to_string(found->count - 1));
    request.index = static_cast<unsigned>(*at);
  }
  if (dot != std::string::npos) {
    const std::string of_field = name.substr(dot + 1);
    const auto field = find(of_field, found->fields);
    if (field == found->fields.end())
      throw RegisterError("register " + of_register + " has no field '" + of_field + "'" +
                          suggestion(of_field, found->fields));
    request.field = &*field;
  }
  if (equals != std::string::npos) parseValue(request, name, text.substr(equals + 1));
  return request;
}

std::string RegisterValue::name() const {
  return std::string(which->name) + (index ? "[" + std::to_string(*index) + "]" : "");
}

namespace {

/// As many as the request is for, from the first index on.
std::vector<RegisterValue> read(driver::Transport& card, const std::vector<RegisterRequest>& requests) {
  std::vector<RegisterValue> values;
  std::vector<Access> reads;
  for (const RegisterRequest& one : requests) {
    if (readable(*one.which) == 0) continue;
    const unsigned first = one.index.value_or(0), count = one.index ? 1 : std::max(one.which->count, 1U);
    for (unsigned i = first; i < first + count; ++i) {
      values.push_back({one.which, one.which->count == 0 ? std::nullopt : std::optional(i), 0});
      reads.push_back(Access::read(one.address(i)));
    }
  }
  const std::vector<std::uint32_t> words = card.run(reads);
  for (std::size_t i = 0; i < values.size(); ++i) values[i].value = words.at(i);
  return values;
}

}  // namespace

std::vector<RegisterValue> readRegisters(driver::Transport& card) {
  std::vector<RegisterRequest> all;
  all.reserve(card_map::kRegisters.size());
  for (const Register& one : card_map::kRegisters) all.push_back({&one, std::nullopt, nullptr, std::nullopt});
  return read(card, all);
}

std::vector<RegisterValue> carryOut(driver::Transport& card, const RegisterRequest& request) {
  if (request.value) {
    const std::uint32_t address = request.address(request.index.value_or(0));
    std::uint32_t value = *request.value;
    if (request.field != nullptr) {
      std::uint32_t now = 0;
      if (const std::uint32_t others = kept(*request.which) & ~maskOf(*request.field); others != 0) {
        const Access one[] = {Access::read(address)};
        now = card.run(one).at(0) & others;
      }
      value = now | request.field->bits.with(value);
    }
    const Access one[] = {Access::write(address, value)};
    card.run(one);
  }
  return read(card, {request});
}

}  // namespace poplink::host
