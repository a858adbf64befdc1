-- What the structure of a page becomes on paper: read by Quarto (`filters:` of format typst) and by the
-- renderer without it, which hands the same file to the same Pandoc.

-- Words in which Typst finds no shorthand. It would make a minus of `-1`, a dash of `--`, an ellipsis of
-- `...` and a field of `.x` after a `]`; Pandoc does not prevent it. Any other word is written as a string.
-- So is a word with a typographic mark, of which Pandoc makes the plain one that Typst would set anew.
local typographic = lpeg.P("\xe2\x80")
local letter, mark = lpeg.R("az", "AZ", "09", "\128\255") - typographic, lpeg.S(".,:")
local joined = mark * letter ^ 1 + lpeg.P("-") * (letter - lpeg.R("09")) ^ 1 * -lpeg.R("09")
local safe_word = letter ^ 1 * joined ^ 0 * lpeg.S(",;:.%") ^ -1 * -1

local part = 12
local may_break = "\u{200b}"

local function typst(text) return pandoc.RawInline("typst", text) end
local function typst_block(text) return pandoc.RawBlock("typst", text) end

-- A string in Typst's language, in which nothing is markup. Quarto looks for shortcodes in what is raw: two
-- braces do not stand side by side.
local function typst_string(text)
  return '"' .. text:gsub('[%c]', " "):gsub('[\\"]', "\\%0"):gsub("{{", "{\\u{7b}") .. '"'
end

-- A word that is longer than words are may break anywhere.
local function breakable(text)
  local parts, length = {}, utf8.len(text)
  for start = 1, length, part do
    local stop = math.min(start + part, length + 1)
    parts[#parts + 1] = text:sub(utf8.offset(text, start), utf8.offset(text, stop) - 1)
  end
  return table.concat(parts, may_break)
end

-- How wide a word is, in Latin letters: those of wide scripts, and what has no letter, take two.
local function width(text)
  local letters = 0
  for _, code in utf8.codes(text) do letters = letters + (code < 0x1100 and 1 or 2) end
  return letters
end

local function words_up_to(longest)
  return function(item)
    if width(item.text) > longest then return typst("#" .. typst_string(breakable(item.text)) .. ";") end
    if not safe_word:match(item.text) then return typst("#" .. typst_string(item.text) .. ";") end
  end
end

-- The more columns, the narrower each: a word that is longer than its column would lie over the next one. Rows that
-- are headings of others become so in print.typ.
local function in_table(item)
  local columns = #item.colspecs
  local fitting = item:walk({ Str = words_up_to(columns >= 8 and 12 or columns >= 5 and 20 or 36) })
  return { pandoc.RawBlock("typst", "#grouped["), fitting, pandoc.RawBlock("typst", "]") }
end

-- The marks of a quotation as HTML shows them, whatever Typst would choose.
local function quoted(item)
  local marks = item.quotetype == "SingleQuote" and { "‘", "’" } or { "“", "”" }
  local content = item.content:clone()
  content:insert(1, pandoc.Str(marks[1]))
  content:insert(pandoc.Str(marks[2]))
  return content
end

-- A link to another page is a cross-reference where what it leads to is part of the PDF too, and its words
-- where it is not; print.typ looks, since not all identifiers are known yet when Quarto runs this.
local function link(item)
  local page, anchor = item.target:match("^%.?/?([^/:?#]+)%.qmd#?([^#]*)$")
  if not page then return nil end
  local content = item.content:clone()
  if anchor == "" then return content end
  local form = item.classes:includes("evidence") and "evidence" or "across"
  content:insert(1, typst("#" .. form .. "(" .. typst_string(anchor) .. ")["))
  content:insert(typst("]"))
  return content
end

-- Where the appendix begins, tables and figures are counted anew; the table of evidence, with a caption as long
-- as it is, does not begin at the foot of a page.
local before = { ["sec-appendix"] = "#show: appendix", ["sec-claims"] = "#room(40%)" }
local function header(item)
  local first = before[item.identifier]
  if first then return { pandoc.RawBlock("typst", first), item } end
end

-- Each block a cell of a grid, or whatever else a function of print.typ makes of them.
local function each(name, item)
  local blocks = pandoc.Blocks({ pandoc.RawBlock("typst", "#" .. name .. "[") })
  for at, block in ipairs(item.content) do
    if at > 1 then blocks:insert(pandoc.RawBlock("typst", "][")) end
    blocks:insert(block)
  end
  blocks:insert(pandoc.RawBlock("typst", "]"))
  return blocks
end

local on_screen = pandoc.List({ "card", "on-screen" }) -- what only a screen shows

-- What each term of a list is, as a call of print.typ.
local function terms(name)
  return function(item)
    local blocks = pandoc.Blocks({})
    for _, each in ipairs(item.content) do
      blocks:insert(pandoc.Plain({ typst("#" .. name .. "["), pandoc.Span(each[1]), typst("][") }))
      for _, description in ipairs(each[2]) do blocks:extend(description) end
      blocks:insert(pandoc.RawBlock("typst", "]"))
    end
    return blocks
  end
end

local function terms_beside(item)
  if item.classes:includes("beside") then return item:walk({ DefinitionList = terms("term-beside") }) end
end

-- A cell of a `.panel`: its first line is the figure.
local function headline(item)
  local blocks = item.content:clone()
  if #blocks > 0 then
    blocks:insert(1, pandoc.RawBlock("typst", "#headline["))
    blocks:insert(3, pandoc.RawBlock("typst", "]"))
  end
  return pandoc.Div(blocks)
end

-- `.beside`: the first block in a column as wide as its picture, the rest beside it. `.pictures`: small pictures
-- in rows. `.panel`: headline figures in one row.
local function div(item)
  if item.classes:find_if(function(class) return on_screen:includes(class) end) then return {} end
  if #item.content == 0 then return nil end
  if item.classes:includes("pictures") then return each("pictures", item) end
  if item.classes:includes("panel") then return each("panel", item:walk({ Div = headline })) end
  if not item.classes:includes("beside") then return nil end
  local blocks = item.content:clone()
  local first = blocks:remove(1)
  blocks:insert(1, pandoc.RawBlock("typst", "]["))
  blocks:insert(1, first)
  blocks:insert(1, pandoc.RawBlock("typst", "#beside["))
  blocks:insert(pandoc.RawBlock("typst", "]"))
  return blocks
end

local function on_paper(content)
  return content:walk({ Quoted = quoted, Div = terms_beside }):walk({ DefinitionList = terms("term") }):walk({
    Table = in_table,
  }):walk({
    Str = words_up_to(36), Link = link, Div = div, Header = header,
  })
end

local function in_meta(value)
  if pandoc.utils.type(value) == "Inlines" then return on_paper(value) end
  if pandoc.utils.type(value) == "List" then return value:map(in_meta) end
  return value
end

-- `.last`: what follows all other text, wherever it stands; only the list of references, with its title, is after it.
local function last_at_the_end(blocks)
  local rest, last = pandoc.Blocks({}), pandoc.Blocks({})
  for _, block in ipairs(blocks) do
    if block.t == "Div" and block.classes:includes("last") then last:extend(block.content) else rest:insert(block) end
  end
  local references = pandoc.Blocks({})
  if #rest > 0 and rest[#rest].identifier == "refs" then
    references:insert(rest:remove())
    if #rest > 0 and rest[#rest].t == "Header" then references:insert(1, rest:remove()) end
  end
  rest:extend(last)
  rest:extend(references)
  return rest
end

function Pandoc(document)
  document.blocks = on_paper(last_at_the_end(document.blocks))
  local meta = document.meta
  for _, key in ipairs({ "title", "subtitle", "date", "authors" }) do meta[key] = in_meta(meta[key]) end
  local authors = meta["by-author"] -- Quarto's, whose names are parts of each
  if authors then
    for _, author in ipairs(authors) do author.name.literal = in_meta(author.name.literal) end
    meta["by-author"] = authors
  end
  document.meta = meta
  return document
end
