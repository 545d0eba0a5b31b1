namespace Brink.Models;

/// <summary>An interpreter of pickles that creates plain data and descriptions of tensors, and refuses everything else.</summary>
/// <remarks>
/// Protocols 0 to 4, with the instructions that PyTorch and other tools use for weights. Results are null, bool, long, BigInteger,
/// double, string, byte[], object?[] (tuple), List&lt;object?&gt;, <see cref="PickledDictionary"/>, <see cref="PickledStorage"/> and
/// <see cref="PickledTensor"/>. They may contain themselves, so they must not be traversed recursively.
/// </remarks>
internal sealed class RestrictedUnpickler(Stream stream, CheckpointSource source)
{
    // A tensor takes about 60 instructions, so this allows 30,000 tensors. An instruction creates an object of at most a few hundred bytes.
    private const int MaximumSteps = 2_000_000;

    private const int HighestProtocol = 4;

    private readonly PickleInput _input = new(stream, source);
    private readonly TorchObjects _torch = new(source);
    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = new();
    private readonly Dictionary<long, object?> _memo = [];
    private int _steps;

    /// <summary>The storages that the pickle refers to, by key.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storages => _torch.Storages;

    /// <summary>Executes the instructions up to and including STOP.</summary>
    /// <returns>The object at the top of the stack.</returns>
    public object? Load()
    {
        while (true)
        {
            Charge(1);
            var instruction = _input.Byte();
            if (instruction == PickleOp.Stop)
            {
                return Pop();
            }

            if (!TryPushValue(instruction) && !TryCollect(instruction) && !TryRemember(instruction))
            {
                Act(instruction);
            }
        }
    }

    // Instructions that push a value from the file.
    private bool TryPushValue(byte instruction)
    {
        switch (instruction)
        {
            case PickleOp.None: Push(null); break;
            case PickleOp.NewTrue: Push(true); break;
            case PickleOp.NewFalse: Push(false); break;
            case PickleOp.BinInt: Push((long)_input.Int32()); break;
            case PickleOp.BinInt1: Push((long)_input.Byte()); break;
            case PickleOp.BinInt2: Push((long)_input.UInt16()); break;
            case PickleOp.Long1: Push(_input.BinaryInteger(_input.Byte())); break;
            case PickleOp.Long4: Push(_input.BinaryInteger(_input.Int32())); break;
            case PickleOp.Int or PickleOp.Long: Push(_input.DecimalInteger()); break;
            case PickleOp.BinFloat: Push(_input.Double()); break;
            case PickleOp.Float: Push(_input.DecimalFloat()); break;
            case PickleOp.ShortBinString or PickleOp.ShortBinUnicode: Push(_input.Text(_input.Byte())); break;
            case PickleOp.BinString or PickleOp.BinUnicode: Push(_input.Text(_input.UInt32())); break;
            case PickleOp.BinUnicode8: Push(_input.Text(_input.UInt64())); break;
            case PickleOp.ShortBinBytes: Push(_input.Bytes(_input.Byte())); break;
            case PickleOp.BinBytes: Push(_input.Bytes(_input.UInt32())); break;
            case PickleOp.BinBytes8: Push(_input.Bytes(_input.UInt64())); break;
            default: return false;
        }

        return true;
    }

    // Instructions that create or fill tuples, lists and dictionaries.
    private bool TryCollect(byte instruction)
    {
        switch (instruction)
        {
            case PickleOp.EmptyTuple: Push(Array.Empty<object?>()); break;
            case PickleOp.Tuple1: Push(PopMany(1)); break;
            case PickleOp.Tuple2: Push(PopMany(2)); break;
            case PickleOp.Tuple3: Push(PopMany(3)); break;
            case PickleOp.Tuple: Push(PopToMark()); break;
            case PickleOp.EmptyList: Push(new List<object?>()); break;
            case PickleOp.List: Push(new List<object?>(PopToMark())); break;
            case PickleOp.EmptyDict: Push(new PickledDictionary()); break;
            case PickleOp.Dict: Push(Filled(new PickledDictionary(), PopToMark())); break;
            case PickleOp.Append: Extend(PopMany(1)); break;
            case PickleOp.Appends: Extend(PopToMark()); break;
            case PickleOp.SetItem: SetItems(PopMany(2)); break;
            case PickleOp.SetItems: SetItems(PopToMark()); break;
            default: return false;
        }

        return true;
    }

    // Instructions on the memo, where a pickle stores objects for later use.
    private bool TryRemember(byte instruction)
    {
        switch (instruction)
        {
            case PickleOp.BinPut: Remember(_input.Byte()); break;
            case PickleOp.LongBinPut: Remember(_input.UInt32()); break;
            case PickleOp.Put: Remember(Index(_input.DecimalInteger())); break;
            case PickleOp.Memoize: Remember(_memo.Count); break;
            case PickleOp.BinGet: Push(Recall(_input.Byte())); break;
            case PickleOp.LongBinGet: Push(Recall(_input.UInt32())); break;
            case PickleOp.Get: Push(Recall(Index(_input.DecimalInteger()))); break;
            default: return false;
        }

        return true;
    }

    private void Act(byte instruction)
    {
        switch (instruction)
        {
            case PickleOp.Proto: CheckProtocol(_input.Byte()); break;
            // The length of a frame is only a hint for buffering.
            case PickleOp.Frame: _ = _input.UInt64(); break;
            case PickleOp.Mark: _marks.Push(_stack.Count); break;
            case PickleOp.Pop: Pop(); break;
            case PickleOp.PopMark: PopToMark(); break;
            case PickleOp.Dup: Push(Peek()); break;
            case PickleOp.Global: Push(_torch.Resolve(_input.Line(), _input.Line())); break;
            case PickleOp.StackGlobal: PushNamed(PopMany(2)); break;
            case PickleOp.Inst: throw _torch.Unknown(_input.Line(), _input.Line());
            case PickleOp.BinPersId: Push(_torch.Storage(Pop())); break;
            // Calls of the few known names, whose results Brink computes itself.
            case PickleOp.Reduce or PickleOp.NewObject: Reduce(PopMany(2)); break;
            case PickleOp.Build: Build(PopMany(1)); break;
            default: throw source.Refuse($"its pickle contains the instruction 0x{instruction:x2}, which weights do not need");
        }
    }

    private void PushNamed(object?[] names) => Push(names is [string module, string name]
        ? _torch.Resolve(module, name)
        : throw source.Refuse("its pickle contains a name that is not a string"));

    private void Reduce(object?[] call) => Push(_torch.Call(call[0], call[1], Charge));

    // An OrderedDict has attributes: the _metadata of a state dict contains version numbers, which Brink does not use.
    private void Build(object?[] state)
    {
        if (Peek() is not PickledDictionary || state is not [PickledDictionary or null])
        {
            throw source.Refuse("its pickle sets attributes of something other than a dictionary");
        }
    }

    private void Extend(object?[] items)
    {
        if (Peek() is not List<object?> list)
        {
            throw source.Refuse("its pickle appends to something other than a list");
        }

        list.AddRange(items);
    }

    private void SetItems(object?[] items) => Filled(Peek(), items);

    private PickledDictionary Filled(object? target, object?[] items)
    {
        if (target is not PickledDictionary dictionary || items.Length % 2 != 0)
        {
            throw source.Refuse("its pickle sets entries of something other than a dictionary, or a key without a value");
        }

        for (var position = 0; position < items.Length; position += 2)
        {
            dictionary.Set(items[position], items[position + 1]);
        }

        return dictionary;
    }

    private void CheckProtocol(byte protocol)
    {
        if (protocol > HighestProtocol)
        {
            throw source.Refuse($"the protocol of its pickle must be at most {HighestProtocol}, but is {protocol}");
        }
    }

    private long Index(object number) => number is long index ? index : throw source.Refuse("its pickle has an impossible memo index");

    private void Remember(long index)
    {
        // Picklers count from 0, so no valid index is larger than the number of instructions.
        if (index is < 0 or > MaximumSteps)
        {
            throw source.Refuse($"its pickle has the impossible memo index {index}");
        }

        _memo[index] = Peek();
    }

    private object? Recall(long index) => _memo.TryGetValue(index, out var value)
        ? value
        : throw source.Refuse($"its pickle reads memo {index}, which it never set");

    private void Push(object? value) => _stack.Add(value);

    private object? Peek() => _stack.Count > Floor ? _stack[^1] : throw Underflow();

    private object? Pop() => PopMany(1)[0];

    private object?[] PopMany(int count) => _stack.Count - Floor >= count ? PopFrom(_stack.Count - count) : throw Underflow();

    private object?[] PopToMark() => _marks.TryPop(out var mark) ? PopFrom(mark) : throw Underflow();

    private object?[] PopFrom(int start)
    {
        var items = new object?[_stack.Count - start];
        _stack.CopyTo(start, items, 0, items.Length);
        _stack.RemoveRange(start, items.Length);
        return items;
    }

    // Objects below the last mark can be removed only together with the mark.
    private int Floor => _marks.TryPeek(out var mark) ? mark : 0;

    private BadInputException Underflow() => source.Refuse("its pickle removes an object from an empty stack");

    private void Charge(int steps)
    {
        // A subtraction, because a sum could overflow.
        if (steps > MaximumSteps - _steps)
        {
            throw source.Refuse($"its pickle may take at most {MaximumSteps} steps, but takes more");
        }

        _steps += steps;
    }
}
