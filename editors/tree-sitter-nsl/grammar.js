// The grammar of NSL for editors. The one that decides is grammar/nsl.pest; a test holds the two together, so that
// what one of them takes for valid is valid for the other (tests/editors/grammar.rs).
//
// Newlines end statements. Inside parentheses and brackets, and after a comma or an operator of a statement that goes on,
// they do not: there the rules name them (`_ws`), so that no external scanner is needed.
//
// `invalid` and `reserved_item` are what people write by mistake, read so that one slip costs no more than itself. A tree
// that holds one of them is as wrong as one with an ERROR.

const WORD = /[A-Za-z][A-Za-z0-9_-]*/;
const PREC = { or: 1, and: 2, not: 3, mask: 5 };
const COMPARE = ['==', '!=', '<', '<=', '>', '>=', 'in'];
const MODIFIERS = ['default', 'override', 'final', 'remove'];
const STRENGTHS = ['prefer', 'optional'];

module.exports = grammar({
  name: 'nsl',

  word: $ => $.identifier,
  extras: $ => [/[ \t\r]/, $.comment, $.doc_comment],

  rules: {
    source_file: $ => seq(optional($._ws), optional(choice(
      seq($.edition, optional(seq($._ws, optional($._items)))),
      $._items,
    ))),

    _items: $ => seq($._item, repeat(seq($._ws, $._item)), optional($._ws)),
    _item: $ => choice(
      $.use_item,
      $.param_item,
      $.let_item,
      $.declaration,
      $.syscall_group,
      $.if_item,
      $.for_item,
      $.require_item,
      $.statement,
      $.reserved_item,
    ),
    _ws: _ => repeat1('\n'),

    block: $ => seq('{', optional($._ws), optional($._items), '}'),

    edition: $ => seq('nsl', alias('1', $.integer)),
    use_item: $ => seq('use', field('module', $.module), optional(seq('as', field('alias', $.identifier)))),
    param_item: $ => seq('param', $._parameter),
    let_item: $ => seq('let', field('name', $.identifier), '=', field('value', $._value)),
    if_item: $ => seq(
      'if', field('condition', $._expression), field('consequence', $.block),
      optional(seq('else', field('alternative', choice($.if_item, $.block)))),
    ),
    for_item: $ => seq('for', field('name', $.identifier), 'in', field('list', $._value), field('body', $.block)),
    require_item: $ => seq(
      'require', field('condition', $._expression), ',', optional($._ws), field('message', $._value),
    ),

    declaration: $ => seq(
      field('kind', $.kind),
      field('name', $.identifier),
      optional(field('parameters', $.parameters)),
      optional($._with),
      field('body', $.block),
    ),
    kind: _ => choice('profile', 'sandbox', 'pod', 'container'),
    parameters: $ => seq('(', optional($._ws), optional(listed($, seq($.parameter, optional($._ws)))), ')'),
    parameter: $ => $._parameter,
    _parameter: $ => seq(
      field('name', $.identifier), ':', field('type', $._type), optional(seq('=', field('default', $._value))),
    ),
    _type: $ => choice(alias($.identifier, $.type), $.list_type),
    list_type: $ => seq('[', $._type, ']'),
    _with: $ => seq('with', $.instance, repeat(seq(',', optional($._ws), $.instance))),
    instance: $ => seq(
      optional(seq(field('module', alias($.identifier, $.module_name)), token.immediate('.'))),
      field('profile', alias($.identifier, $.profile_name)),
      optional(field('arguments', $.arguments)),
    ),

    syscall_group: $ => seq(
      'syscalls', 'group', field('name', alias($.identifier, $.set_name)),
      '{', repeat(choice(alias($.identifier, $.syscall), $.set, ',', '\n')), '}',
    ),

    statement: $ => seq(
      optional($._prefix),
      field('name', $.field_name),
      repeat(field('label', $._label)),
      optional(seq('=', field('value', $._value))),
      optional(field('body', $.block)),
    ),
    // At most one modifier, then at most one word of strength. More of them, or in another order, are no statement's.
    _prefix: $ => choice(
      seq($.modifier, optional(choice(
        seq($.strength, optional($._too_many)),
        seq(alias($._modifier, $.invalid), optional($._too_many)),
      ))),
      seq($.strength, optional($._too_many)),
    ),
    modifier: $ => $._modifier,
    strength: $ => $._strength,
    _modifier: _ => choice(...MODIFIERS),
    _strength: _ => choice(...STRENGTHS),
    _too_many: $ => repeat1(alias(choice($._modifier, $._strength), $.invalid)),
    field_name: $ => seq($.identifier, repeat(seq(token.immediate('.'), alias(token.immediate(WORD), $.identifier)))),

    // Words that are kept for later, or that stand where they belong to nothing.
    reserved_item: $ => seq(
      choice('test', 'expect', 'rule', 'with', 'else', 'nsl'),
      repeat($._label),
      optional(seq('=', $._value)),
      optional($.block),
    ),

    _label: $ => choice(
      $.call, $.symbol, $.boolean, $.path, $.size, $.duration, $.percent, $.integer, $.quantity, $.port, $.address,
      $.reference, $.set, $.everything, $.string, $.invalid,
    ),
    _value: $ => choice($.list, $._label),

    list: $ => seq('[', optional($._ws), optional(listed($, seq($._value, optional($._ws)))), ']'),
    call: $ => seq(field('name', $.identifier), field('arguments', $.arguments)),
    symbol: $ => $.identifier,
    boolean: _ => choice('true', 'false'),
    arguments: $ => seq('(', optional($._ws), optional(listed($, $.argument)), ')'),
    argument: $ => seq(
      optional(seq(field('name', $.identifier), ':', optional($._ws))),
      field('value', alias($._inner, $.expression)),
    ),

    // --- conditions: with newlines behind operators only, and, within parentheses, anywhere

    _expression: $ => choice(
      $._operand,
      alias($._mask, $.binary_expression),
      alias($._comparison, $.binary_expression),
      alias($._not, $.unary_expression),
      alias($._and, $.binary_expression),
      alias($._or, $.binary_expression),
    ),
    ...conditions('', $ => $._operand, $ => $._expression),
    _inner: $ => choice(
      $._inner_operand,
      alias($._inner_mask, $.binary_expression),
      alias($._inner_comparison, $.binary_expression),
      alias($._inner_not, $.unary_expression),
      alias($._inner_and, $.binary_expression),
      alias($._inner_or, $.binary_expression),
    ),
    ...conditions('_inner', $ => $._inner_operand, $ => $._inner),
    _operand: $ => choice($._value, $.parenthesized_expression),
    _inner_operand: $ => seq($._operand, optional($._ws)),
    parenthesized_expression: $ => seq('(', optional($._ws), $._inner, ')'),

    // --- what values are made of

    reference: $ => seq(
      '$', alias(token.immediate(WORD), $.identifier),
      repeat(seq(token.immediate('.'), alias(token.immediate(WORD), $.identifier))),
    ),
    set: $ => seq('@', alias(token.immediate(WORD), $.set_name)),
    everything: _ => '*',

    string: $ => seq(
      '"',
      repeat(choice(
        alias(token.immediate(prec(1, /[^"\\\n$]+/)), $.string_content),
        alias(token.immediate(prec(1, '$')), $.string_content),
        alias(token.immediate(ESCAPE()), $.escape_sequence),
        $.interpolation,
      )),
      token.immediate('"'),
    ),
    interpolation: $ => seq(
      alias(token.immediate(prec(2, '${')), '${'), alias(token.immediate(WORD), $.identifier),
      repeat(seq(token.immediate('.'), alias(token.immediate(WORD), $.identifier))), token.immediate('}'),
    ),

    // Of tokens with the same length the first one here is taken.
    integer: _ => token(choice(/-?[0-9]+/, /0x[0-9a-fA-F]+/, /0o[0-7]+/)),
    size: _ => /[0-9]+(\.[0-9]+)?(B|[KMGT]iB|[kMGT]B)/,
    duration: _ => /-?[0-9]+(\.[0-9]+)?(ns|us|ms|s|min|h|d)/,
    percent: _ => /[0-9]+(\.[0-9]+)?%/,
    // A number with a unit that there is not, or not for this value: the checker says which there are.
    quantity: _ => token(choice(
      /-?([1-9][0-9]*|0[0-9]+|[0-9]+\.[0-9]+)([A-Za-z]+|%)/,
      /-?0([A-Za-np-wyz][A-Za-z]*|%)/,
    )),
    port: _ => /[0-9]+\/[A-Za-z]+/,
    address: _ => token(choice(
      /[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+/,
      /[0-9]+(\.[0-9]+)+\/[0-9]+/,
      /[0-9][A-Za-z0-9_%\/-]*:[A-Za-z0-9_.%:\/-]*/,
      /[0-9a-fA-F]{0,4}:[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]*(\/[0-9]+)?/,
    )),
    path: _ => token(seq(choice('/', './', '../'), repeat(PATH_CHAR()))),
    invalid: _ => token(choice(
      /[-+.]?[0-9][A-Za-z0-9_.%:\/-]*/,
      /[0-9a-fA-F]{0,4}:[0-9a-fA-F]{0,4}:[A-Za-z0-9_:.-]*(\/[A-Za-z0-9_:.-]*)?/,
      /[A-Za-z][A-Za-z0-9_-]*[.\/][A-Za-z0-9_.\/-]*/,
      seq(choice('/', './', '../'), repeat(PATH_CHAR()), /[$\\]/, repeat(choice(PATH_CHAR(), /[$\\]/))),
    )),
    module: _ => token(choice(
      seq(choice('./', '../', '/'), repeat(choice(PATH_CHAR(), /[$\\]/))),
      /[A-Za-z][A-Za-z0-9_.\/-]*/,
    )),

    identifier: _ => WORD,
    doc_comment: _ => token(prec(1, /##([^#\n][^\n]*)?/)),
    comment: _ => token(choice(/#([^#\n][^\n]*)?/, /###[^\n]*/)),
  },
});

/** Printing ASCII but for what ends a value, and for `$` and `\`, which want a string. */
function PATH_CHAR() {
  return /[a-z0-9A-Z_.\/%&'!*+:<>?@^`|~-]/;
}

/** `\n`, `\u{e9}`: a code point that there is, and not 0, which no text of Linux can hold. */
function ESCAPE() {
  return choice(
    /\\[ntr\\"$]/,
    /\\u\{0{0,5}[1-9a-fA-F]\}/,
    /\\u\{0{0,4}[1-9a-fA-F][0-9a-fA-F]\}/,
    /\\u\{0{0,3}[1-9a-fA-F][0-9a-fA-F]{2}\}/,
    /\\u\{0{0,2}([1-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2})\}/,
    /\\u\{0?[1-9a-fA-F][0-9a-fA-F]{4}\}/,
    /\\u\{10[0-9a-fA-F]{4}\}/,
  );
}

/** One or more, with commas between them and, if one likes, behind the last. An element takes the newlines behind it. */
function listed($, element) {
  const comma = seq(',', optional($._ws));
  return seq(element, repeat(seq(comma, element)), optional(comma));
}

/** The levels of conditions: `or`, `and`, `not`, one comparison, masks. */
function conditions(prefix, operand, whole) {
  const rule = ($, name) => $[`${prefix}_${name}`];
  const infix = ($, op, left, right) =>
    seq(field('left', left), field('operator', op), optional($._ws), field('right', right));
  const masked = $ => choice(operand($), alias(rule($, 'mask'), $.binary_expression));
  const compared = $ => choice(masked($), alias(rule($, 'comparison'), $.binary_expression));
  return {
    [`${prefix}_mask`]: $ => prec.left(PREC.mask, infix($, '&', masked($), operand($))),
    [`${prefix}_comparison`]: $ => infix(
      $, choice(...COMPARE), masked($), choice(masked($), alias(rule($, 'not'), $.unary_expression)),
    ),
    [`${prefix}_not`]: $ => prec(PREC.not, seq(
      field('operator', 'not'),
      field('operand', choice(compared($), alias(rule($, 'not'), $.unary_expression))),
    )),
    [`${prefix}_and`]: $ => prec.left(PREC.and, infix($, 'and', whole($), whole($))),
    [`${prefix}_or`]: $ => prec.left(PREC.or, infix($, 'or', whole($), whole($))),
  };
}
